//! How large a text becomes when each constant is replaced by its value.
//!
//! naga evaluates constants by copying them, so `const b = array(a, a)` repeated twenty times, or a table mentioned a
//! thousand times, grows beyond any memory. Words stand for the module-scope constant of their name, or for the largest
//! constant of that name that their function has declared so far.

use super::token::{Kind, Token};
use super::{Item, ItemKind, too_large};
use crate::{Refusal, limits};
use std::collections::BTreeMap;

/// A matrix's name, or a constant made with one: multiplying two takes 112 operations.
const MATRIX_SIZE: u64 = 128;

/// Sizes of constants by name.
type Sizes<'a> = BTreeMap<&'a str, u64>;

/// Refuses a declaration, or a whole text, that expands to too much.
pub(super) fn check(text: &str, items: &[Item<'_, '_>]) -> Result<(), Refusal> {
    let constants = module_constants(items);
    let mut total = 0_u64;
    for item in items {
        let size = match item.kind {
            ItemKind::Function => function(item, &constants),
            _ => item.tokens.iter().fold(0, |sum: u64, token| sum.saturating_add(size(token, &constants, None))),
        };
        total = total.saturating_add(size);
        if size > limits::EXPANDED_DECLARATION || total > limits::EXPANDED_TEXT {
            let what = "its constants expand to too many values here";
            return Err(too_large(text, item.tokens[0].offset, what, "put large tables into buffers"));
        }
    }
    Ok(())
}

/// The size of one token, with the constants known so far.
fn size(token: &Token<'_>, constants: &Sizes<'_>, local: Option<&Sizes<'_>>) -> u64 {
    match token.kind {
        Kind::Word => {
            let named = constants.get(token.text).copied().unwrap_or(1);
            let named = named.max(local.and_then(|local| local.get(token.text)).copied().unwrap_or(1));
            if token.text.starts_with("mat") { named.max(MATRIX_SIZE) } else { named }
        }
        Kind::Number => 1,
        _ => 0,
    }
}

/// The size of a function.
fn function(item: &Item<'_, '_>, constants: &Sizes<'_>) -> u64 {
    let mut local = Sizes::new();
    let mut total = 0_u64;
    let mut declaring: Option<(&str, u64)> = None;
    for (index, token) in item.tokens.iter().enumerate() {
        let size = size(token, constants, Some(&local));
        total = total.saturating_add(size);
        if let Some((_, sum)) = &mut declaring {
            *sum = sum.saturating_add(size);
        }
        if token.text == "const" {
            declaring = item.tokens.get(index + 1).map(|name| (name.text, 0));
        } else if token.text == "=" {
            // What follows is the value; the name and type before it are not copied.
            declaring = declaring.map(|(name, _)| (name, 0));
        } else if token.kind == Kind::Semicolon
            && let Some((name, sum)) = declaring.take()
        {
            let known = local.entry(name).or_insert(1);
            *known = sum.max(*known);
        }
    }
    total
}

/// Sizes of the module's constants, which may be declared in any order.
fn module_constants<'a>(items: &[Item<'_, 'a>]) -> Sizes<'a> {
    let constants: BTreeMap<&str, &Item<'_, 'a>> =
        items.iter().filter(|item| item.kind == ItemKind::Constant).map(|item| (item.name, item)).collect();
    let mut sizes = Sizes::new();
    for &item in constants.values() {
        // A walk through what the constant needs, without recursion: chains may be as long as the text. A constant
        // that needs itself counts as nothing there; naga refuses it before it evaluates anything.
        let mut open = vec![(item, 1)];
        let mut waiting = std::collections::BTreeSet::from([item.name]);
        while let Some((item, next)) = open.last_mut() {
            let Some(token) = item.tokens.get(*next) else {
                let value = item.tokens.iter().skip_while(|token| token.text != "=");
                let others = value.filter(|token| token.text != item.name);
                let size = others.fold(0, |sum: u64, token| sum.saturating_add(size(token, &sizes, None))).max(1);
                sizes.insert(item.name, size);
                open.pop();
                continue;
            };
            *next += 1;
            if token.kind == Kind::Word
                && !sizes.contains_key(token.text)
                && let Some(&needed) = constants.get(token.text)
                && waiting.insert(needed.name)
            {
                open.push((needed, 1));
            }
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::super::{items, token::tokens};
    use super::*;
    use std::fmt::Write;

    fn fits(text: &str) -> bool {
        let tokens: Vec<_> = tokens(text).collect();
        check(text, &items(&tokens)).is_ok()
    }

    fn doubling(times: u32, forwards: bool) -> String {
        let mut lines: Vec<String> = (1..=times).map(|i| format!("const a{i} = array(a{0}, a{0});", i - 1)).collect();
        lines.insert(0, "const a0 = array(1, 1);".to_owned());
        if !forwards {
            lines.reverse();
        }
        lines.join("\n")
    }

    #[test]
    fn doubling_is_seen_in_any_order_and_scope() {
        for forwards in [true, false] {
            assert!(fits(&doubling(10, forwards)));
            assert!(!fits(&doubling(30, forwards)));
            assert!(!fits(&doubling(200, forwards)));
        }
        assert!(!fits(&format!("fn f() {{ {} }}", doubling(30, true))));
    }

    #[test]
    fn mentions_of_a_table_add_up() {
        let table = format!("const t = array({});", "1, ".repeat(1_000));
        assert!(fits(&format!("{table} fn f() {{ {} }}", "_ = t[0];".repeat(100))));
        assert!(!fits(&format!("{table} fn f() {{ {} }}", "_ = t[0];".repeat(1_000))));
        assert!(!fits(&format!("fn f() {{ {} }} {table}", "_ = t[0];".repeat(1_000))));
    }

    #[test]
    fn long_chains_and_cycles_end() {
        let mut chain = String::new();
        for i in 0..30_000 {
            let _ = write!(chain, "const c{i} = c{};", i + 1);
        }
        assert!(fits(&chain));
        assert!(fits("const a = b; const b = a; const c = c;"));
        assert!(!fits(&format!("fn f() {{ const m = mat4x4f(); _ = m{}; }}", "*m".repeat(10_000))));
    }
}
