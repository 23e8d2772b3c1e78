//! Writes its argument, and compares outputs itself: they are as good as each other if their sorted bytes are. Comparing
//! `trap` traps, and `spin` never ends. Outcome: ok, with `out`.

use samebit_plugin_testing::bindings::samebit::job::data;

samebit_plugin_testing::guest!(run, compare);

fn run(args: Vec<String>) -> Result<(), String> {
    samebit_plugin_testing::put("out", &args.concat())
}

fn compare(name: &str) -> Result<(), String> {
    match name {
        "trap" => panic!("as told"),
        "spin" => loop {
            std::hint::black_box(0);
        },
        _ => {}
    }
    let mut names = data::inputs();
    let [claimed, replayed] = ["claimed", "replayed"].map(|name| {
        names.retain(|other| other != name);
        let size = data::input_size(name).map_err(|error| format!("{name}: {error:?}"))?;
        let mut bytes = data::input_read(name, 0, size).map_err(|error| format!("{name}: {error:?}"))?;
        bytes.sort_unstable();
        Ok::<_, String>(bytes)
    });
    if !names.is_empty() {
        return Err(format!("there are other inputs: {names:?}"));
    }
    if claimed? == replayed? { Ok(()) } else { Err(format!("output {name} has other bytes")) }
}
