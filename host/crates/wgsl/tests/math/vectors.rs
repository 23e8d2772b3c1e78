//! Results that are on record: they may never change.

use super::result;
use samebit_wgsl::lowered::MathFunction;

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/exact/vectors")
}

#[test]
fn every_function_gives_what_is_on_record() {
    for function in MathFunction::ALL {
        let path = folder().join(format!("{function:?}.txt"));
        let text = std::fs::read_to_string(&path).expect("every function has a file of vectors");
        let mut count = 0;
        for line in text.lines() {
            let bits: Vec<u32> =
                line.split(' ').map(|word| u32::from_str_radix(word, 16).expect("words are bits")).collect();
            let (expected, operands) = bits.split_last().expect("a line has a result");
            assert_eq!(operands.len(), function.params().len(), "{function:?}: {line}");
            let got = result(*function, operands);
            assert_eq!(got, *expected, "{function:?} of {operands:08x?} gives {got:08x}, not {expected:08x}");
            count += 1;
        }
        assert!(count > 100, "{function:?} has {count} vectors");
    }
}

#[test]
fn every_file_is_of_a_function() {
    for entry in std::fs::read_dir(folder()).expect("the folder is there") {
        let name = entry.expect("an entry").file_name().into_string().expect("an ordinary name");
        assert!(MathFunction::ALL.iter().any(|function| format!("{function:?}.txt") == name), "{name}");
    }
}
