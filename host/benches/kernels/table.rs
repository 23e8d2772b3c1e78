//! Runs the suite and prints its table.

use std::time::{Duration, Instant};

use samebit_device::wgsl::Admission;
use samebit_gpu::exact::Way;

use crate::cases;
use crate::lab::{Bench, Sides};
use crate::measure::{geometric_mean, median, median_time, time};
use crate::suite::{Case, Words};

/// What the rounds of a case took.
struct Times {
    reference: Vec<Duration>,
    driver: Vec<Duration>,
    /// On the driver, exactly: in the portable way, and in Vulkan's.
    exact: [Vec<Duration>; 2],
    rust: Vec<Duration>,
}

/// Ratios over all cases.
#[derive(Default)]
struct Ratios {
    driver: Vec<f64>,
    exact: [Vec<f64>; 2],
    rust: Vec<f64>,
}

/// Prints the table, and says whether all answers were right.
pub(crate) fn suite(sides: &Sides, rounds: usize, only: Option<&str>) -> bool {
    println!(
        "| kernel | work | reference | driver | portable | vulkan | Rust | driver / reference | portable / driver | \
         vulkan / driver | Rust / reference |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut ratios = Ratios::default();
    let mut is_right = true;
    for make in cases::ALL {
        let case = make();
        if only.is_some_and(|only| !case.name.contains(only)) {
            continue;
        }
        match measure(&case, sides, rounds) {
            Ok(times) => row(&case, &times, &mut ratios),
            Err(fault) => {
                is_right = false;
                println!("| {} | {} | {fault} | | | | | | | | |", case.name, case.size);
            }
        }
    }
    let by = [&ratios.driver, &ratios.exact[0], &ratios.exact[1], &ratios.rust];
    summary("**geometric mean**", by.map(|ratios| geometric_mean(ratios)));
    summary("least", by.map(|ratios| ratios.iter().copied().fold(f64::NAN, f64::min)));
    println!("| target | | | | | | | ≥ 10, none below 1 | ≤ 1.5 | ≤ 1.5 | ≥ 0.5 |\n");
    is_right
}

/// Prints a row of what the ratios come to.
fn summary(what: &str, ratios: [f64; 4]) {
    let ratios = ratios.map(|ratio| if ratio.is_nan() { "–".to_owned() } else { format!("{ratio:.2}") });
    println!("| {what} | | | | | | | {} |", ratios.join(" | "));
}

fn measure(case: &Case, sides: &Sides, rounds: usize) -> Result<Times, String> {
    let mut reference = Bench::new(case, &sides.reference, Admission::Exact)?;
    let driver = sides.driver.as_ref().map(|device| Bench::new(case, device, Admission::Native));
    let mut driver = driver.transpose()?;
    let mut exact = [None, None];
    for (way, device) in &sides.exact {
        exact[usize::from(*way == Way::Vulkan)] = Some(Bench::new(case, device, Admission::Exact)?);
    }
    let mut buffers = case.buffers.clone();
    // The first run of each warms it up, and is what is compared.
    reference.run(case);
    rust(case, &mut buffers);
    if let Some(driver) = &mut driver {
        driver.run(case);
    }
    for exact in exact.iter_mut().flatten() {
        exact.run(case);
    }
    for output in &case.outputs {
        let ours = reference.read(*output);
        if exact.iter_mut().flatten().any(|exact| exact.read(*output) != ours) {
            return Err("the driver is not exact".to_owned());
        }
        let expected = &buffers[*output];
        case.agreement.check_reference(&ours, expected).map_err(|fault| format!("wrong: {fault}"))?;
        if let Some(driver) = &mut driver {
            let checked = case.agreement.check_driver(&driver.read(*output), expected);
            checked.map_err(|fault| format!("the driver is wrong: {fault}"))?;
        }
    }
    let mut times =
        Times { reference: Vec::new(), driver: Vec::new(), exact: [Vec::new(), Vec::new()], rust: Vec::new() };
    for _ in 0..rounds {
        times.reference.push(reference.run(case));
        times.rust.push(rust(case, &mut buffers));
        if let Some(driver) = &mut driver {
            times.driver.push(driver.run(case));
        }
        for (exact, times) in exact.iter_mut().zip(&mut times.exact) {
            times.extend(exact.as_mut().map(|exact| exact.run(case)));
        }
    }
    reference.close();
    for bench in driver.into_iter().chain(exact.into_iter().flatten()) {
        bench.close();
    }
    Ok(times)
}

/// Runs the Rust side once.
fn rust(case: &Case, buffers: &mut [Words]) -> Duration {
    for index in &case.restored {
        buffers[*index].copy_from_slice(&case.buffers[*index]);
    }
    let start = Instant::now();
    (case.rust)(buffers);
    start.elapsed()
}

fn row(case: &Case, times: &Times, ratios: &mut Ratios) {
    let against = |others: &[Duration]| {
        let pairs = others.iter().zip(&times.reference);
        median(pairs.map(|(other, ours)| other.as_secs_f64() / ours.as_secs_f64()).collect())
    };
    let by_rust = against(&times.rust);
    ratios.rust.push(by_rust);
    let (driver, by_driver) = if times.driver.is_empty() {
        ("–".to_owned(), "–".to_owned())
    } else {
        let ratio = against(&times.driver);
        ratios.driver.push(ratio);
        let ratio_text = if ratio < 1.0 { format!("**{ratio:.2}**") } else { format!("{ratio:.2}") };
        (time(median_time(&times.driver)), ratio_text)
    };
    let mut by_exact = [const { String::new() }; 2];
    let mut exact = [const { String::new() }; 2];
    for (way, taken) in times.exact.iter().enumerate() {
        let is_there = !taken.is_empty() && !times.driver.is_empty();
        exact[way] = if is_there { time(median_time(taken)) } else { "–".to_owned() };
        by_exact[way] = if is_there {
            let pairs = taken.iter().zip(&times.driver);
            let ratio = median(pairs.map(|(exact, driver)| exact.as_secs_f64() / driver.as_secs_f64()).collect());
            ratios.exact[way].push(ratio);
            format!("{ratio:.2}")
        } else {
            "–".to_owned()
        };
    }
    let [reference, rust] = [&times.reference, &times.rust].map(|times| time(median_time(times)));
    println!(
        "| {} | {} | {reference} | {driver} | {} | {rust} | {by_driver} | {} | {by_rust:.2} |",
        case.name,
        case.size,
        exact.join(" | "),
        by_exact.join(" | ")
    );
}
