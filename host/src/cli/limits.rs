//! Limits as a user writes them: bytes with `KiB`, `MiB`, `GiB`, counts with `k`, `M`, `G`.

use std::time::Duration;

use samebit_runner::spec::Limits;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// Limits given; absent ones keep their default. Flags and `job.toml` share this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[command(next_help_heading = "Limits (part of the job; K, M, G for counts, KiB, MiB, GiB for bytes)")]
pub(crate) struct LimitArgs {
    /// Fuel: about one per WebAssembly instruction [default: 100G]
    #[arg(long = "limit-fuel", value_name = "COUNT", value_parser = count)]
    #[serde(deserialize_with = "count_value")]
    fuel: Option<u64>,
    /// Linear memory [default: 1GiB]
    #[arg(long = "limit-memory", value_name = "BYTES", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    memory: Option<u64>,
    /// Table elements [default: 100k]
    #[arg(long = "limit-table", value_name = "COUNT", value_parser = count)]
    #[serde(deserialize_with = "count_value")]
    table: Option<u64>,
    /// Core instances of the component [default: 32]
    #[arg(long = "limit-instances", value_name = "COUNT", value_parser = count)]
    #[serde(deserialize_with = "count_value")]
    instances: Option<u64>,
    /// GPU memory alive at once [default: 1GiB]
    #[arg(long = "limit-gpu-memory", value_name = "BYTES", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    gpu_memory: Option<u64>,
    /// Dispatches [default: 100k]
    #[arg(long = "limit-dispatches", value_name = "COUNT", value_parser = count)]
    #[serde(deserialize_with = "count_value")]
    dispatches: Option<u64>,
    /// Loop iterations of an invocation in a dispatch, of all loops together [default: 16_777_216]
    #[arg(long = "limit-loop-iterations", value_name = "COUNT", value_parser = count)]
    #[serde(deserialize_with = "count_value")]
    loop_iterations: Option<u64>,
    /// All outputs together [default: 1GiB]
    #[arg(long = "limit-output", value_name = "BYTES", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    output: Option<u64>,
    /// The log [default: 64KiB]
    #[arg(long = "limit-log", value_name = "BYTES", value_parser = bytes)]
    #[serde(deserialize_with = "bytes_value")]
    log: Option<u64>,
}

impl LimitArgs {
    /// Puts these in place of others.
    pub(crate) fn over(&self, limits: Limits) -> Limits {
        Limits {
            fuel: self.fuel.unwrap_or(limits.fuel),
            memory_bytes: self.memory.unwrap_or(limits.memory_bytes),
            table_elements: self.table.unwrap_or(limits.table_elements),
            instances: self.instances.unwrap_or(limits.instances),
            gpu_memory_bytes: self.gpu_memory.unwrap_or(limits.gpu_memory_bytes),
            dispatches: self.dispatches.unwrap_or(limits.dispatches),
            loop_iterations: self.loop_iterations.unwrap_or(limits.loop_iterations),
            output_bytes: self.output.unwrap_or(limits.output_bytes),
            log_bytes: self.log.unwrap_or(limits.log_bytes),
        }
    }
}

/// A count: digits, `_` between them, and `k`, `M`, `G` or `T` for thousands.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 5] =
        [("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000)];
    number(text, &UNITS, "a count such as 5000, 100k, 20M or 1G")
}

/// A number of bytes: digits, `_` between them, and `KiB`, `MiB`, `GiB` or `TiB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
    number(text, &UNITS, "bytes such as 65536, 64KiB, 20MiB or 1GiB")
}

/// A time: digits and `s`, `min` or `h`.
fn seconds(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 3] = [("min", 60), ("s", 1), ("h", 3_600)];
    if text.ends_with(|last: char| last.is_ascii_digit()) {
        return Err("expected a time such as 30s, 10min or 1h".to_owned());
    }
    number(text, &UNITS, "a time such as 30s, 10min or 1h")
}

fn number(text: &str, units: &[(&str, u64)], wanted: &str) -> Result<u64, String> {
    let unit = units.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1));
    let digits = digits.trim_end();
    if !digits.starts_with(|char: char| char.is_ascii_digit()) {
        return Err(format!("expected {wanted}"));
    }
    let value = digits.replace('_', "").parse::<u64>().map_err(|_| format!("expected {wanted}"))?;
    value.checked_mul(factor).ok_or_else(|| "the number does not fit 64 bits".to_owned())
}

pub(crate) fn count_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Number(count)).map(Some)
}

pub(crate) fn bytes_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Number(bytes)).map(Some)
}

pub(crate) fn duration_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    // A number alone would leave the unit to be guessed.
    let text = String::deserialize(deserializer)?;
    seconds(&text).map(Duration::from_secs).map(Some).map_err(de::Error::custom)
}

/// An integer, or text that a function reads.
struct Number(fn(&str) -> Result<u64, String>);

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a number, or a text such as \"64MiB\" or \"10G\"")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
        (self.0)(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_multiply() {
        assert_eq!(count("100k"), Ok(100_000));
        assert_eq!(count("5_000"), Ok(5_000));
        assert_eq!(count("2G"), Ok(2_000_000_000));
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("3 GiB"), Ok(3 << 30));
        assert_eq!(bytes("0"), Ok(0));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "k", "-1", "+1", "1.5G", "1kk", "1KB", "_1", " 1", "99999999999999999999", "20000000T"] {
            assert!(count(text).is_err(), "{text:?}");
        }
        for text in ["1k", "1G", "1MB", "KiB", "17000000TiB"] {
            assert!(bytes(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn given_limits_replace_and_others_stay() {
        let given = LimitArgs { fuel: Some(7), ..LimitArgs::default() };
        assert_eq!(given.over(Limits::default()), Limits { fuel: 7, ..Limits::default() });
    }
}
