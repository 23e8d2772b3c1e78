//! The SDK as a job sees it, on the host in memory.

use samebit_guest::prelude::*;
use samebit_guest::testing::{Call, Host, Outcome};
use samebit_guest::{Level, log};

/// Runs statements as a job without inputs.
fn run(job: impl FnOnce() -> Result<(), Error>) -> Outcome {
    Host::new().run(|_| job(), &[])
}

fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("is refused").to_string()
}

/// `add` and `scale` share a file; only `add` uses `other`.
fn add() -> Kernel {
    kernel!("tests/kernels/add.wgsl", "add")
}

fn scale() -> Kernel {
    kernel!("tests/kernels/add.wgsl", "scale")
}

mod buffers {
    use super::*;

    #[test]
    fn write_read_fill_and_copy() {
        let outcome = run(|| {
            let numbers = Buffer::from_slice(&[1u32, 2, 3, 4])?;
            numbers.write(2, &[7])?;
            assert_eq!(numbers.read()?, [1, 2, 7, 4]);
            assert_eq!(numbers.read_range(1..3)?, [2, 7]);

            let others = Buffer::<u32>::zeroed(3)?;
            others.fill(9)?;
            others.copy_from(1, &numbers, 2..4)?;
            assert_eq!(others.read()?, [9, 7, 4]);

            let halves = Buffer::<u16>::zeroed(3)?;
            halves.fill(0x0102)?;
            assert_eq!(halves.read()?, [0x0102; 3]);
            output("halves").append_buffer(&halves)?;
            output("halves").append_buffer_range(&halves, 1..2)
        });
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.output("halves"), [2, 1, 2, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn ranges_are_checked_in_elements() {
        let outcome = run(|| {
            let bytes = Buffer::<u8>::zeroed(5)?;
            assert_eq!(bytes.len(), 5);
            // The last word has room for three more; they are not the job's.
            assert_eq!(
                message(bytes.read_range(4..6)),
                "reading 2 elements at 4 of a buffer of 5: the range ends past the end"
            );
            assert!(message(bytes.write(usize::MAX, &[1, 2])).starts_with("writing 2 elements"));
            assert!(message(bytes.slice(0..6)).starts_with("binding 6 elements"));
            assert!(message(output("x").append_buffer_range(&bytes, 0..6)).contains("past the end"));
            assert!(message(bytes.write(1, &[1])).contains("not a multiple"));
            Ok(())
        });
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn sizes_have_limits() {
        let outcome = run(|| {
            assert!(message(Buffer::<u32>::zeroed(0)).starts_with("creating a buffer of 0 bytes: a size is zero"));
            assert!(message(Buffer::<u32>::zeroed((1 << 26) + 1)).starts_with("creating a buffer of 268435460 bytes"));
            assert!(message(Buffer::<u64>::zeroed(usize::MAX)).starts_with("creating a buffer of"));
            Ok(())
        });
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn inputs_load_without_passing_through() {
        let host = Host::new().input("words", &[1, 0, 0, 0, 2, 0, 0, 0]).input("odd", &[1, 2, 3]);
        let outcome = host.run(
            |_| {
                assert_eq!(Buffer::<u32>::from_input(&input("words"))?.read()?, [1, 2]);
                assert!(message(Buffer::<u32>::from_input(&input("odd"))).contains("3 bytes: not a multiple"));
                assert!(message(Buffer::<u32>::from_input(&input("none"))).contains("--input NAME=PATH"));
                let one = Buffer::<u32>::zeroed(1)?;
                one.load_input(0, &input("words"), 3, 1)?;
                assert_eq!(one.read()?, [0x200]);
                assert!(message(one.load_input(0, &input("words"), 5, 1)).contains("past the end"));
                Ok::<_, Error>(())
            },
            &[],
        );
        assert_eq!(outcome.result, Ok(()));
    }
}

mod kernels {
    use super::*;

    fn stand_in(call: &mut Call<'_>) {
        assert_eq!(call.workgroups(), [2, 1, 1]);
        let factor = call.constant("FACTOR").expect("is set") as f32;
        let numbers: Vec<f32> = call.read("numbers");
        call.write("numbers", &numbers.iter().map(|number| factor * number).collect::<Vec<_>>());
    }

    #[test]
    fn dispatch_counts_workgroups() {
        let host = Host::new().kernel("scale", stand_in);
        let outcome = host.run(
            |_| {
                let numbers = Buffer::<f32>::from_slice(&[1.0; 65])?;
                let scale = scale().constant("FACTOR", 3);
                assert_eq!(scale.workgroup_size(), Some([64, 1, 1]));
                scale.bind("numbers", &numbers).dispatch_for([65, 1, 1])?;
                scale.constant("FACTOR", 5).bind("numbers", &numbers).dispatch([2, 1, 1])?;
                assert_eq!(numbers.read()?, [15.0; 65]);
                Ok::<_, Error>(())
            },
            &[],
        );
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn dispatch_counts_may_come_from_a_buffer() {
        let host = Host::new().kernel("scale", stand_in);
        let outcome = host.run(
            |_| {
                let numbers = Buffer::<f32>::from_slice(&[1.0; 4])?;
                let scale = scale().constant("FACTOR", 2).bind("numbers", &numbers);
                scale.dispatch_indirect(&Buffer::from_slice(&[9, 2, 1, 1])?, 1)?;
                scale.dispatch_indirect(&Buffer::from_slice(&[65_536, 1, 1])?, 0)?;
                scale.dispatch_indirect(&Buffer::from_slice(&[2, 0, 1])?, 0)?;
                assert_eq!(numbers.read()?, [2.0; 4]);
                assert!(message(scale.dispatch_indirect(&Buffer::from_slice(&[2, 1])?, 0)).contains("past the end"));
                Ok::<_, Error>(())
            },
            &[],
        );
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn bindings_go_by_name() {
        let outcome = run(|| {
            let numbers = Buffer::<f32>::zeroed(128)?;
            let dispatch = |launch: samebit_guest::Launch<'_>| message(launch.dispatch([1, 1, 1]));
            assert_eq!(
                dispatch(add().bind("number", &numbers)),
                "tests/kernels/add.wgsl (add): no variable `number` to bind: it uses `numbers`, `other`"
            );
            assert_eq!(
                dispatch(add().bind("numbers", &numbers)),
                "tests/kernels/add.wgsl (add): not bound yet: `other`"
            );
            assert_eq!(
                dispatch(add().bind("numbers", &numbers).bind("numbers", &numbers)),
                "tests/kernels/add.wgsl (add): the variable `numbers` is bound twice"
            );
            assert!(dispatch(add().bind("numbers", &numbers).bind("other", &numbers)).contains("use two buffers"));
            assert!(dispatch(add().bind("other", numbers.slice(1..9)?).value("numbers", &0.0f32)).contains("256"));
            Ok(())
        });
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn constants_are_checked() {
        let outcome = run(|| {
            let numbers = Buffer::<f32>::zeroed(1)?;
            let dispatch = |kernel: Kernel| message(kernel.bind("numbers", &numbers).dispatch([1, 1, 1]));
            assert_eq!(
                dispatch(scale().constant("FACTR", 1)),
                "tests/kernels/add.wgsl (scale): no override constant `FACTR`: it has `FACTOR`"
            );
            assert!(dispatch(scale()).contains("the override constant `FACTOR`"), "{}", dispatch(scale()));
            Ok(())
        });
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    fn too_many_workgroups_are_an_error() {
        let outcome = run(|| {
            let numbers = Buffer::<f32>::zeroed(1)?;
            let launch = scale().constant("FACTOR", 1).bind("numbers", &numbers);
            let text = message(launch.dispatch_for([64 * 65_535 + 1, 1, 1]));
            assert!(text.starts_with("dispatching tests/kernels/add.wgsl (scale): a size is"), "{text}");
            launch.dispatch_for([0, 1, 1])
        });
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    #[should_panic = "nothing stands in for tests/kernels/add.wgsl (scale)"]
    fn a_missing_stand_in_is_named() {
        run(|| scale().constant("FACTOR", 1).bind("numbers", &Buffer::<f32>::zeroed(1)?).dispatch([1, 1, 1]));
    }
}

mod reports {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn everything_said_is_collected() {
        let outcome = Host::new().run(
            |args| -> Result<(), Error> {
                info!("args {args:?}");
                warn!("two\nlines");
                log(Level::Trace, "plain");
                progress(1, 2);
                output("text").append("a")?;
                write!(output("text"), "{}", 12)?;
                output("empty").append("")?;
                bail!("stopped at {}", 3)
            },
            &["x"],
        );
        assert_eq!(outcome.error(), "stopped at 3");
        let line = |level, text: &str| (level, text.to_owned());
        assert_eq!(
            outcome.log,
            [
                line(Level::Info, "args [\"x\"]"),
                line(Level::Warn, "two"),
                line(Level::Warn, "lines"),
                line(Level::Trace, "plain")
            ]
        );
        assert_eq!(outcome.progress, [(1, 2)]);
        assert_eq!((outcome.output("text"), outcome.output("empty")), (&b"a12"[..], &b""[..]));
    }

    #[test]
    fn inputs_and_names_are_checked() {
        let host = Host::new().input("b", b"text").input("a", &[0xff]);
        let outcome = host.run(
            |_| -> Result<(), Error> {
                assert_eq!(inputs(), ["a", "b"]);
                assert_eq!(input("b").read_string()?, "text");
                assert_eq!((input("b").size()?, input("b").exists(), input("c").exists()), (4, true, false));
                assert_eq!(input("b").read_at(1, 2)?, b"ex");
                assert!(message(input("b").read_at(3, 2)).contains("reading 2 bytes at 3 of input `b`"));
                assert!(message(input("b").read_at(0, u64::MAX)).contains("in parts"));
                assert!(message(input("a").read_string()).starts_with("input `a`: invalid utf-8"));
                for name in ["", "-a", "a/b", "ä", &"a".repeat(129)] {
                    assert!(message(output(name).append("")).contains("a name has 1 to 128"), "{name}");
                }
                Ok(())
            },
            &[],
        );
        assert_eq!(outcome.result, Ok(()));
    }

    #[test]
    #[should_panic = "no host"]
    fn a_job_outside_a_host_says_so() {
        progress(1, 2);
    }
}
