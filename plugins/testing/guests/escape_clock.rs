//! Looks at the clocks, sleeps for a year, and looks again. Outcome: ok, at once; output `clock` says what it saw.

use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime};

use samebit_plugin_testing::bindings::wasi::clocks::monotonic_clock;
use samebit_plugin_testing::bindings::wasi::io::poll::poll;
use samebit_plugin_testing::put;

samebit_plugin_testing::guest!(run);

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut seen = String::new();
    let began = Instant::now();
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
    let _ = writeln!(seen, "wall {}", unix.as_secs());
    let spun = (0..1000).filter(|_| Instant::now() > began).count();
    let _ = writeln!(seen, "later {spun} of 1000");
    std::thread::sleep(Duration::from_secs(365 * 86_400));
    let _ = writeln!(seen, "slept {} s", began.elapsed().as_secs());
    let _ = writeln!(seen, "resolution {}", monotonic_clock::resolution());
    let (long, short) =
        (monotonic_clock::subscribe_duration(10_000_000_000), monotonic_clock::subscribe_duration(1_000_000));
    let _ = writeln!(seen, "early {} first {:?} late {}", short.ready(), poll(&[&long, &short]), long.ready());
    long.block();
    let _ = writeln!(seen, "both {:?}", poll(&[&long, &short]));
    let (far, near) =
        (monotonic_clock::subscribe_duration(10_000_000_000), monotonic_clock::subscribe_duration(1_000_000));
    let _ = write!(seen, "near {} ", near.ready());
    far.block();
    let _ = writeln!(seen, "then {} {}", near.ready(), far.ready());
    let forever = monotonic_clock::subscribe_instant(u64::MAX);
    forever.block();
    let _ = writeln!(seen, "end {:?} {}", poll(&[&forever, &forever]), monotonic_clock::now());
    put("clock", &seen)
}
