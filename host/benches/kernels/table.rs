//! Runs the suite and prints its table.

use std::time::{Duration, Instant};

use samebit_device::wgsl::Admission;

use crate::cases;
use crate::lab::{Bench, Sides};
use crate::measure::{geometric_mean, median, median_time, time};
use crate::suite::{Case, Words};

/// What the rounds of a case took.
struct Times {
    reference: Vec<Duration>,
    driver: Vec<Duration>,
    rust: Vec<Duration>,
}

/// Ratios over all cases.
#[derive(Default)]
struct Ratios {
    driver: Vec<f64>,
    rust: Vec<f64>,
}

/// Prints the table, and says whether all answers were right.
pub(crate) fn suite(sides: &Sides, rounds: usize, only: Option<&str>) -> bool {
    println!("| kernel | work | reference | driver | Rust | driver / reference | Rust / reference |");
    println!("|---|---|---:|---:|---:|---:|---:|");
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
                println!("| {} | {} | {fault} | | | | |", case.name, case.size);
            }
        }
    }
    let by = [&ratios.driver, &ratios.rust];
    summary("**geometric mean**", by.map(|ratios| geometric_mean(ratios)));
    summary("least", by.map(|ratios| ratios.iter().copied().fold(f64::NAN, f64::min)));
    println!("| target | | | | | ≥ 10, none below 1 | ≥ 0.5 |\n");
    is_right
}

/// Prints a row of what the ratios to the driver and to Rust come to.
fn summary(what: &str, ratios: [f64; 2]) {
    let [driver, rust] = ratios.map(|ratio| if ratio.is_nan() { "–".to_owned() } else { format!("{ratio:.2}") });
    println!("| {what} | | | | | {driver} | {rust} |");
}

fn measure(case: &Case, sides: &Sides, rounds: usize) -> Result<Times, String> {
    let mut reference = Bench::new(case, &sides.reference, Admission::Exact)?;
    let driver = sides.driver.as_ref().map(|device| Bench::new(case, device, Admission::Native));
    let mut driver = driver.transpose()?;
    let mut buffers = case.buffers.clone();
    // The first run of each warms it up, and is what is compared.
    reference.run(case);
    rust(case, &mut buffers);
    if let Some(driver) = &mut driver {
        driver.run(case);
    }
    for output in &case.outputs {
        let expected = &buffers[*output];
        case.agreement
            .check_reference(&reference.read(*output), expected)
            .map_err(|fault| format!("wrong: {fault}"))?;
        if let Some(driver) = &mut driver {
            let checked = case.agreement.check_driver(&driver.read(*output), expected);
            checked.map_err(|fault| format!("the driver is wrong: {fault}"))?;
        }
    }
    let mut times = Times { reference: Vec::new(), driver: Vec::new(), rust: Vec::new() };
    for _ in 0..rounds {
        times.reference.push(reference.run(case));
        times.rust.push(rust(case, &mut buffers));
        if let Some(driver) = &mut driver {
            times.driver.push(driver.run(case));
        }
    }
    reference.close();
    if let Some(driver) = driver {
        driver.close();
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
    let [reference, rust] = [&times.reference, &times.rust].map(|times| time(median_time(times)));
    println!("| {} | {} | {reference} | {driver} | {rust} | {by_driver} | {by_rust:.2} |", case.name, case.size);
}
