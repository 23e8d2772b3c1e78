//! A module's own comparison of outputs.

use samebit_engine::RunError;
use samebit_engine::spec::{Limit, Status, Trap};

use crate::hostile::ended;
use crate::support::{Guest, job};

/// `ok_compare`: as a job, then as the judge of its own outputs.
pub(crate) fn compares_outputs(guest: Guest) {
    let seen = ended(&guest, Status::Ok);
    assert!(seen.outputs.contains_key("out") && guest.module.compares());

    let compare = |claimed: &[u8], name: &str| {
        let mut asked = Guest { inputs: Default::default(), ..guest.clone() }.input("claimed", claimed);
        asked.job.inputs.clear();
        let ran = asked.input("replayed", b"cab").compare(name).expect("an answer");
        assert!(ran.outputs.is_empty(), "a comparison that stops writes nothing");
        ran.status
    };
    assert_eq!(compare(b"abc", "out"), Status::Ok, "it sees both versions");
    assert_eq!(compare(b"abd", "out"), Status::Failed("output out has other bytes".to_owned()));
    assert_eq!(compare(b"abc", "trap"), Status::Trapped(Trap::Unreachable));
    assert_eq!(compare(b"abc", "spin"), Status::Exceeded(Limit::Fuel), "the job's limits hold");
}

#[test]
fn a_module_without_comparison_is_not_asked() {
    let guest = Guest::new(&job("", "", "i32.const 16"));
    assert!(!guest.module.compares());
    assert!(matches!(guest.compare("out").expect_err("it cannot"), RunError::NoCompare));
}

#[test]
fn a_function_of_another_type_is_no_comparison() {
    let text = String::from_utf8(job("", "", "i32.const 16")).expect("text");
    let (component, end) = text.split_at(text.rfind(')').expect("its end"));
    let guest = Guest::new(format!(r#"{component}(export "compare" (func 0)){end}"#).as_bytes());
    assert!(!guest.module.compares(), "it takes a list of texts");
}
