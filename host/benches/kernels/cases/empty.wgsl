// Nothing, to see what a launch costs.

@compute @workgroup_size(64)
fn main() {
}
