//! Override constants: matching what was given to what the text declares, and checking that values fit.
//!
//! Numbers convert as in WebGPU: towards zero for integers, to nearest for floats, and what is then outside the type is
//! refused. Booleans are 0 and 1 and nothing else.

use crate::{Refusal, RefusalReason};
use naga::back::PipelineConstants;
use naga::{Handle, Module, Override, Scalar, TypeInner};
use std::collections::BTreeMap;

/// Given values by the override they belong to.
#[derive(Debug)]
pub(crate) struct Given(BTreeMap<Handle<Override>, f64>);

/// Finds the override of each given constant. `module` must be the whole module, since a constant may be given although
/// the entry point does not use it.
pub(crate) fn assign(module: &Module, constants: &[(String, f64)]) -> Result<Given, Refusal> {
    // Resolved through names once, so that many constants over many overrides stay cheap.
    let mut by_key = BTreeMap::new();
    for (handle, declared) in module.overrides.iter() {
        if let Some(id) = declared.id {
            by_key.insert(id.to_string(), handle);
        }
        if let Some(name) = &declared.name {
            by_key.insert(name.clone(), handle);
        }
    }
    let mut given = BTreeMap::new();
    for (key, value) in constants {
        let Some(&handle) = by_key.get(key) else {
            return Err(bad(key, "the text declares none of that name or `@id`", "declare it or do not give it"));
        };
        let value = convert(module, handle, *value).map_err(|what| bad(key, what, "give a value that fits"))?;
        if given.insert(handle, value).is_some() {
            return Err(bad(key, "it is given twice", "give it once, by name or by `@id`"));
        }
    }
    Ok(Given(given))
}

impl Given {
    /// The values keyed as naga and WebGPU do: by `@id` where there is one, else by name.
    ///
    /// Taken from the whole module, before anything unused is dropped from it; [`of_used`] then keeps what is left.
    pub(crate) fn keyed(&self, module: &Module) -> PipelineConstants {
        self.0.iter().map(|(handle, value)| (key(&module.overrides[*handle]), *value)).collect()
    }
}

/// Keeps those of `keyed` that `module`, reduced to its entry point, still has. Refuses one that has no value at all.
pub(crate) fn of_used(source: &str, module: &Module, keyed: &PipelineConstants) -> Result<PipelineConstants, Refusal> {
    let mut used = PipelineConstants::default();
    for (handle, declared) in module.overrides.iter() {
        let key = key(declared);
        match keyed.get(&key) {
            Some(value) => {
                used.insert(key, *value);
            }
            None if declared.init.is_none() => {
                let name = declared.name.clone().unwrap_or(key);
                let span = module.overrides.get_span(handle);
                let reason = RefusalReason::BadConstant(name);
                return Err(Refusal::at_span(reason, source, span, "it has no default and was not given", "give it"));
            }
            None => {}
        }
    }
    Ok(used)
}

/// An override's identifier in WebGPU's sense.
fn key(declared: &Override) -> String {
    match (declared.id, &declared.name) {
        (Some(id), _) => id.to_string(),
        (None, Some(name)) => name.clone(),
        (None, None) => String::new(),
    }
}

/// `value` as a number that the override's type represents, or why there is none.
fn convert(module: &Module, handle: Handle<Override>, value: f64) -> Result<f64, &'static str> {
    let TypeInner::Scalar(scalar) = module.types[module.overrides[handle].ty].inner else {
        return Err("its type is not a scalar");
    };
    let whole = value.trunc();
    match scalar {
        Scalar::BOOL if value == 0.0 || value == 1.0 => Ok(value),
        Scalar::BOOL => Err("it is a bool, which is 0 or 1"),
        Scalar::I32 if (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole) => Ok(whole),
        Scalar::I32 => Err("its value is outside i32"),
        Scalar::U32 if (0.0..=f64::from(u32::MAX)).contains(&whole) => Ok(whole),
        Scalar::U32 => Err("its value is outside u32"),
        // The cast rounds to nearest, to infinity from half a unit past the largest f32.
        Scalar::F32 if (value as f32).is_finite() => Ok(f64::from(value as f32)),
        Scalar::F32 => Err("its value is outside f32"),
        _ => Err("its type is not bool, i32, u32 or f32"),
    }
}

/// A refusal of a constant as it was given.
fn bad(key: &str, what: &str, todo: &str) -> Refusal {
    Refusal::nowhere(RefusalReason::BadConstant(key.to_owned()), what, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "override flag: bool; @id(7) override count: u32 = 1; override step: i32; override scale: f32;";

    fn converted(name: &str, value: f64) -> Result<f64, &'static str> {
        let module = naga::front::wgsl::parse_str(TEXT).expect("the text is valid");
        let (handle, _) =
            module.overrides.iter().find(|(_, o)| o.name.as_deref() == Some(name)).expect("the override is declared");
        convert(&module, handle, value)
    }

    #[test]
    fn values_convert_as_in_webgpu() {
        assert_eq!(converted("flag", 1.0), Ok(1.0));
        assert_eq!(converted("count", 4_294_967_295.9), Ok(4_294_967_295.0));
        assert_eq!(converted("count", -0.5), Ok(0.0));
        assert_eq!(converted("step", -2_147_483_648.0), Ok(-2_147_483_648.0));
        assert_eq!(converted("scale", 0.1), Ok(f64::from(0.1_f32)));
        assert_eq!(converted("scale", 3.402_823_466e38), Ok(f64::from(f32::MAX)));
    }

    #[test]
    fn values_outside_the_type_do_not() {
        for (name, value) in [
            ("flag", 2.0),
            ("flag", 0.5),
            ("flag", f64::NAN),
            ("count", -1.0),
            ("count", 4_294_967_296.0),
            ("count", f64::NAN),
            ("step", 2_147_483_648.0),
            ("step", f64::INFINITY),
            ("scale", f64::NAN),
            ("scale", f64::NEG_INFINITY),
            ("scale", 3.5e38),
        ] {
            assert!(converted(name, value).is_err(), "{name} = {value}");
        }
    }
}
