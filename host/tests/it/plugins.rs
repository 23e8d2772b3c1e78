//! The shipped modules, and a plain WASI command, as `cargo xtask plugins` builds them.

use samebit_plugin_gemm::{npy, reference};
use samebit_plugin_image_filter as filter;
use serde_json::json;

use crate::support::{Desk, On, plugin};

const MARKDOWN: &str = "# Title\n\nSome *text*, a [link](https://example.org) and `code`.\n\n- one\n- two\n";
const HTML: &str = "<h1>Title</h1>\n<p>Some <em>text</em>, a <a href=\"https://example.org\">link</a> and \
                    <code>code</code>.</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n";

#[test]
fn plugin_pulldown_cmark_runs_unchanged() {
    for module in ["wasi/pulldown-cmark.wasm", "wasi/pulldown-cmark-p1.wasm"] {
        let desk = Desk::new();
        desk.file("text.md", MARKDOWN);
        let module = plugin(module);
        desk.samebit("s", &["run", &module, "-i", "stdin=text.md", "--out", "out", "-r", "r"]).exits(0);
        assert_eq!(std::fs::read_to_string(desk.path("out/stdout")).expect("written"), HTML);
        desk.samebit("v", &["verify", "r", "-m", &module, "-i", "stdin=text.md"]).exits(0).says(&["match"]);
    }
}

mod exact {
    //! On the reference device, which needs no driver.

    use super::*;

    #[test]
    fn the_reference_device_is_listed_first_and_the_default() {
        let desk = Desk::new();
        let (code, value) = desk.json("s", &["devices"]);
        assert_eq!(code, 0);
        let device = &value[0];
        assert_eq!((&device["device"], &device["default"]), (&json!("reference"), &json!(true)), "{value}");
        desk.samebit("s", &["devices"]).exits(0).says(&["*reference", "maxBufferSize"]);
    }

    #[test]
    fn a_device_that_is_not_there_is_no_receipt_and_no_verdict() {
        let desk = Desk::new();
        let module = plugin("hello-job.wasm");
        desk.file("numbers", [0; 16]);
        let run = ["run", &module, "-i", "numbers=numbers", "-r", "r"];
        desk.samebit("s", &[&run[..], &["--device", "99"]].concat()).exits(3).says(&["no device"]);
        assert!(!desk.path("r").exists());
        desk.samebit("s", &run).exits(0);
        desk.samebit("s", &["verify", "r", "--device", "no such card"]).exits(3).says(&["unchecked", "no device"]);
    }

    #[test]
    fn a_receipt_says_what_ran_the_kernels() {
        let desk = Desk::new();
        let module = plugin("hello-job.wasm");
        desk.file("numbers", [0; 16]);
        for profile in ["exact", "native"] {
            let run = ["run", &module, "-i", "numbers=numbers", "-r", profile, "--profile", profile];
            desk.samebit("s", &run).exits(0);
            let (_, value) = desk.json("s", &["inspect", profile]);
            assert_eq!(value["measured"]["device"]["name"], "reference", "{value}");
            assert_eq!(value["job"]["profile"], profile, "{value}");
        }
    }

    #[test]
    fn plugin_hello_job() {
        hello_job_doubles_and_verifies(On::Default);
    }

    #[test]
    fn plugin_image_filter() {
        image_filter_agrees_with_its_reference(On::Default);
    }

    #[test]
    fn plugin_gemm() {
        gemm_agrees_with_sums_in_f64(On::Default);
    }

    #[test]
    fn plugin_mandelbrot() {
        mandelbrot_draws_the_same_picture_twice(On::Default);
    }
}

mod vulkan {
    //! On a GPU, or what stands in for one.

    use super::*;

    #[test]
    fn devices_are_listed() {
        let desk = Desk::new();
        let (code, value) = desk.json("s", &["devices"]);
        assert_eq!(code, 0);
        let device = &value[1];
        assert_eq!((&device["index"], &device["default"]), (&json!(0), &json!(false)), "{value}");
        let name = device["name"].as_str().expect("a name");
        assert_eq!(device["arithmetic"], json!(null), "nobody has asked for it yet: {value}");
        desk.samebit("s", &["devices"]).exits(0).says(&[" 0", name, "not tested yet", "maxBufferSize"]);
        desk.samebit("s", &["devices", "-v"]).exits(0).says(&["maxComputeWorkgroupStorageSize"]);
    }

    #[test]
    fn exact_receipts_of_a_gpu_verify_on_the_reference_device_and_the_other_way_around() {
        let desk = Desk::new();
        let module = plugin("hello-job.wasm");
        desk.file("numbers", [0x3f; 16]);
        let run = ["run", &module, "-i", "numbers=numbers", "-r", "r"];
        desk.samebit("s", &[&run[..], &["--device", "gpu"]].concat()).exits(0);
        let (_, value) = desk.json("s", &["inspect", "r"]);
        assert_ne!(value["measured"]["device"]["name"], "reference", "{value}");
        assert!(value["measured"]["device"]["battery"].is_string(), "{value}");
        let (_, devices) = desk.json("s", &["devices"]);
        assert!(devices[1]["arithmetic"]["fma"].is_string(), "it is remembered: {devices}");
        desk.samebit("s", &["verify", "r"]).exits(0).says(&["match"]);
        desk.samebit("s", &run).exits(0);
        desk.samebit("s", &["verify", "r", "--device", "gpu"]).exits(0).says(&["match"]);
    }

    #[test]
    fn plugin_hello_job_exactly() {
        hello_job_doubles_and_verifies(On::GpuExactly);
    }

    #[test]
    fn plugin_image_filter_exactly() {
        image_filter_agrees_with_its_reference(On::GpuExactly);
    }

    #[test]
    fn plugin_gemm_exactly() {
        gemm_agrees_with_sums_in_f64(On::GpuExactly);
    }

    #[test]
    fn plugin_mandelbrot_exactly() {
        mandelbrot_draws_the_same_picture_twice(On::GpuExactly);
    }

    #[test]
    fn native_receipts_of_a_gpu_verify_on_the_reference_device_where_bits_agree() {
        let desk = Desk::new();
        let module = plugin("hello-job.wasm");
        desk.file("numbers", [0; 16]);
        let run = ["run", &module, "-i", "numbers=numbers", "-r", "r", "--device", "gpu", "--profile", "native"];
        desk.samebit("s", &run).exits(0);
        desk.samebit("s", &["verify", "r"]).exits(0).says(&["match"]);
    }

    #[test]
    fn plugin_hello_job() {
        hello_job_doubles_and_verifies(On::Gpu);
    }

    #[test]
    fn plugin_image_filter() {
        image_filter_agrees_with_its_reference(On::Gpu);
    }

    #[test]
    fn plugin_gemm() {
        gemm_agrees_with_sums_in_f64(On::Gpu);
    }

    #[test]
    fn plugin_mandelbrot() {
        mandelbrot_draws_the_same_picture_twice(On::Gpu);
    }
}

fn hello_job_doubles_and_verifies(on: On) {
    let desk = Desk::on(on);
    let module = plugin("hello-job.wasm");
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    desk.file("numbers", bytes(&[1.0, -2.5, 1e30, 0.0]));
    let run = ["run", &module, "-i", "numbers=numbers", "--out", "out", "-r", "r"];
    let (code, value) = desk.json("s", &run);
    assert_eq!((code, &value["measured"]["dispatches"]), (0, &json!(1)));
    assert!(value["measured"]["device"]["name"].is_string(), "{value}");
    assert_eq!(std::fs::read(desk.path("out/doubled")).expect("written"), bytes(&[2.0, -5.0, 2e30, 0.0]));
    desk.samebit("v", &["verify", "r", "-m", &module, "-i", "numbers=numbers"]).exits(0).says(&["match"]);
}

fn image_filter_agrees_with_its_reference(on: On) {
    let desk = Desk::on(on);
    let module = plugin("image-filter.wasm");
    let photo = picture(97, 61);
    desk.file("photo.png", &photo);
    for args in [&["blur", "5"][..], &["sharpen", "1.5"], &["edges"]] {
        let mut run = vec!["run", &module, "-i", "image=photo.png", "--out", "out", "-r", "r"];
        run.extend(args.iter().flat_map(|arg| ["-a", arg]));
        desk.samebit("s", &run).exits(0);
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let source = filter::Image::decode(&photo).expect("a picture");
        let wanted = filter::reference::apply(&filter::Filter::parse(&args).expect("a filter"), &source);
        let found = filter::Image::decode(&std::fs::read(desk.path("out/image.png")).expect("written"));
        let found = found.expect("a picture");
        assert_eq!((found.width, found.height), (source.width, source.height));
        for (index, (found, wanted)) in found.pixels.iter().zip(&wanted).enumerate() {
            let off = found.iter().zip(wanted).any(|(found, wanted)| found.abs_diff(*wanted) > 1);
            assert!(!off, "{args:?}: pixel {index} is {found:?}, not {wanted:?}");
        }
        desk.samebit("s", &["verify", "r", "--outputs", "out"]).exits(0).says(&["match"]);
    }
    desk.samebit("s", &["run", &module, "-i", "image=photo.png", "-a", "swirl"]).exits(1).says(&["swirl"]);
}

fn gemm_agrees_with_sums_in_f64(on: On) {
    let desk = Desk::on(on);
    let (rows, inner, columns) = (33, 65, 17);
    let matrix = |seed: u32, len: usize| numbers(seed).take(len).collect::<Vec<f32>>();
    let (a, b) = (matrix(1, rows * inner), matrix(2, inner * columns));
    let file = |rows, columns, numbers: &[f32]| {
        let mut bytes = npy::header(rows, columns);
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes
    };
    desk.file("a.npy", file(rows, inner, &a));
    desk.file("b.npy", file(inner, columns, &b));
    let run = ["run", &plugin("gemm.wasm"), "-i", "a=a.npy", "-i", "b=b.npy", "--out", "out", "-r", "r"];
    desk.samebit("s", &run).exits(0);
    let bytes = std::fs::read(desk.path("out/c.npy")).expect("written");
    let start = npy::header(rows, columns).len();
    assert_eq!(bytes.len(), start + 4 * rows * columns);
    let found = bytes[start..].chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().expect("four")));
    let wanted = reference::multiply(&a, &b, rows, inner, columns);
    for (index, (found, (wanted, size))) in found.zip(wanted).enumerate() {
        let bound = inner as f64 * f64::from(f32::EPSILON) * size;
        assert!((f64::from(found) - wanted).abs() <= bound, "element {index} is {found}, not {wanted} ± {bound}");
    }
    desk.samebit("s", &["verify", "r"]).exits(0).says(&["match"]);
}

fn mandelbrot_draws_the_same_picture_twice(on: On) {
    let desk = Desk::on(on);
    let module = plugin("mandelbrot.wasm");
    let run = |store| desk.json(store, &["run", &module, "-a", "160", "-a", "120", "--out", "out", "-r", "r"]);
    let ((code, one), (_, two)) = (run("one"), run("two"));
    assert_eq!(code, 0, "{one}");
    assert_eq!(one["outcome"], two["outcome"]);
    let png = std::fs::read(desk.path("out/mandelbrot.png")).expect("written");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(one["outcome"]["outputs"]["mandelbrot.png"]["hash"], blake3::hash(&png).to_string());
    desk.samebit("one", &["verify", "r", "--outputs", "out"]).exits(0).says(&["match"]);
}

/// Numbers between -1 and 1 from a xorshift generator, the same every time.
fn numbers(seed: u32) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(seed), |state| {
        let mut state = state ^ (state << 13);
        state ^= state >> 17;
        Some(state ^ (state << 5))
    })
    .map(|state| (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32)
}

/// A picture with gradients and edges.
pub(crate) fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let inside = (x as i32 - 48).pow(2) + (y as i32 - 30).pow(2) < 400;
            let rgb =
                if inside { [250, (x * 2) as u8, 20] } else { [(x * 2) as u8, (y * 4) as u8, ((x ^ y) * 2) as u8] };
            pixels.extend(rgb);
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels).expect("pixels");
    writer.finish().expect("an end");
    file
}
