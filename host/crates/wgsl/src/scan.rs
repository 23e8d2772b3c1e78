//! A first look at the text, linear in its length and without recursion: is it short and flat enough to parse?
//!
//! naga's parser and evaluator recurse over the text's structure, take time quadratic in the size of a function, and
//! copy constants wherever they are mentioned. What is refused here could overflow a stack, or take minutes or gigabytes,
//! in naga or in a driver behind it. Bounds are generous estimates from above: words are not resolved, so a text may be
//! refused for what its names seem to mean, but no kernel that a person would write comes near them.

mod expansion;
mod nesting;
mod token;

use crate::{Refusal, RefusalReason, limits};
use naga::Span;
use std::collections::BTreeSet;
use token::{Kind, Token};

/// Refuses a text that is too long, too deep, too bulky, or that enables an extension.
pub(crate) fn check(text: &str) -> Result<(), Refusal> {
    if text.len() > limits::TEXT_BYTES {
        let what = format!("the text has {} bytes, more than {}", text.len(), limits::TEXT_BYTES);
        return Err(Refusal::nowhere(RefusalReason::TooLarge, &what, "shorten it"));
    }
    let tokens: Vec<Token<'_>> = token::tokens(text).take(limits::TOKENS + 1).collect();
    if let Some(token) = tokens.get(limits::TOKENS) {
        let what = format!("the text has more than {} words, numbers and symbols", limits::TOKENS);
        return Err(too_large(text, token.offset, &what, "split it into several kernels"));
    }
    nesting::check(text, &tokens)?;
    let items = items(&tokens);
    check_items(text, &items)?;
    expansion::check(text, &items)
}

/// Where the function `name` is declared. naga keeps no place for entry points.
pub(crate) fn function(text: &str, name: &str) -> Span {
    let mut after_keyword: Option<usize> = None;
    for token in token::tokens(text) {
        if let Some(offset) = after_keyword.filter(|_| token.text == name) {
            return Span::from(offset..offset + 1);
        }
        after_keyword = (token.text == "fn").then_some(token.offset);
    }
    Span::UNDEFINED
}

/// Where one of `words` first stands.
pub(crate) fn word(text: &str, words: &[&str]) -> Span {
    let found = token::tokens(text).find(|token| token.kind == Kind::Word && words.contains(&token.text));
    found.map_or(Span::UNDEFINED, |token| Span::from(token.offset..token.offset + 1))
}

/// Where functions of WGSL are called, of those in `names` that the text does not declare itself.
pub(crate) fn calls(text: &str, names: &[&str]) -> Vec<usize> {
    let tokens: Vec<Token<'_>> = token::tokens(text).collect();
    let mut calls = Vec::new();
    let mut declared = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word || !names.contains(&token.text) {
            continue;
        }
        let before = index.checked_sub(1).map(|index| tokens[index].text);
        let is_called = tokens.get(index + 1).is_some_and(|next| next.kind == Kind::Open(b'('));
        match before {
            Some("fn") => drop(declared.insert(token.text)),
            Some(".") => {}
            _ if is_called => calls.push(*token),
            _ => {}
        }
    }
    calls.into_iter().filter(|call| !declared.contains(call.text)).map(|call| call.offset).collect()
}

/// The operands of the call whose function's name is at `offset`, each without what is around it.
pub(crate) fn arguments(text: &str, offset: usize) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut arguments = Vec::new();
    let mut range: Option<(usize, usize)> = None;
    for token in token::tokens(text.get(offset..).unwrap_or_default()).skip(1) {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let opens = depth == 1 && matches!(token.kind, Kind::Open(_));
        let ends = depth == 0 || (depth == 1 && token.kind == Kind::Comma);
        if ends {
            arguments.extend(range.take().and_then(|(start, end)| text.get(offset + start..offset + end)));
        } else if !opens {
            let start = range.map_or(token.offset, |(start, _)| start);
            range = Some((start, token.offset + token.text.len()));
        }
        if depth == 0 {
            break;
        }
    }
    arguments
}

/// What a module-scope declaration declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemKind {
    Enable,
    Function,
    Variable,
    Struct,
    Constant,
    Other,
}

/// A module-scope declaration, attributes left out.
#[derive(Clone, Copy, Debug)]
struct Item<'t, 'a> {
    kind: ItemKind,
    /// The first word after the keyword; `var<…> name` has none, and needs none.
    name: &'a str,
    tokens: &'t [Token<'a>],
}

/// The module-scope declarations of a text, as far as it has that form.
fn items<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<Item<'t, 'a>> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut start = None;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && start.is_none() && keyword(token).is_some() {
            start = Some(index);
        }
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let last = index + 1 == tokens.len();
        let ends = depth == 0 && matches!(token.kind, Kind::Semicolon | Kind::Close(b'}'));
        if let Some(first) = start.filter(|_| ends || last) {
            let tokens = &tokens[first..=index];
            let name = tokens.get(1).filter(|token| token.kind == Kind::Word).map_or("", |token| token.text);
            items.push(Item { kind: keyword(&tokens[0]).unwrap_or(ItemKind::Other), name, tokens });
            start = None;
        }
    }
    items
}

/// What a declaration that starts with `token` declares.
fn keyword(token: &Token<'_>) -> Option<ItemKind> {
    match token.text {
        "enable" => Some(ItemKind::Enable),
        "fn" => Some(ItemKind::Function),
        "var" => Some(ItemKind::Variable),
        "struct" => Some(ItemKind::Struct),
        "const" => Some(ItemKind::Constant),
        "override" | "alias" | "let" | "const_assert" | "requires" | "diagnostic" => Some(ItemKind::Other),
        _ => None,
    }
}

/// Refuses too many or too long declarations, and extensions.
fn check_items(text: &str, items: &[Item<'_, '_>]) -> Result<(), Refusal> {
    let (mut functions, mut variables, mut structs) = (0, 0, 0);
    for item in items {
        let offset = item.tokens[0].offset;
        let (count, limit, what) = match item.kind {
            ItemKind::Enable => {
                let (what, todo) = ("it enables an extension", "remove the directive: no device offers any");
                return Err(Refusal::at(RefusalReason::Unsupported, text, offset, what, todo));
            }
            ItemKind::Function => (&mut functions, limits::FUNCTIONS, "functions"),
            ItemKind::Variable => (&mut variables, limits::VARIABLES, "module-scope variables"),
            ItemKind::Struct => (&mut structs, limits::STRUCTS, "structures"),
            ItemKind::Constant | ItemKind::Other => continue,
        };
        *count += 1;
        if *count > limit {
            return Err(too_large(text, offset, &format!("it declares more than {limit} {what}"), "remove some"));
        }
        if item.kind == ItemKind::Function && item.tokens.len() > limits::FUNCTION_TOKENS {
            let what = format!("the function has more than {} words, numbers and symbols", limits::FUNCTION_TOKENS);
            return Err(too_large(text, offset, &what, "split it into several functions"));
        }
    }
    Ok(())
}

/// Refuses what is at `offset`.
fn too_large(text: &str, offset: usize, what: &str, todo: &str) -> Refusal {
    Refusal::at(RefusalReason::TooLarge, text, offset, what, todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<(RefusalReason, u32)> {
        check(text).err().map(|refusal| (refusal.reason, refusal.location.map_or(0, |location| location.line)))
    }

    #[test]
    fn declarations_are_found_between_anything() {
        let text = "@compute @workgroup_size(1) fn main() { const a = 1; { } }\n;var<private> v: u32; const c = array(1, 2);\n\
                    struct S { a: u32 } alias A = u32; const broken = (";
        let tokens: Vec<_> = token::tokens(text).collect();
        let found: Vec<_> = items(&tokens).iter().map(|item| (item.kind, item.name)).collect();
        assert_eq!(
            found,
            [
                (ItemKind::Function, "main"),
                (ItemKind::Variable, ""),
                (ItemKind::Constant, "c"),
                (ItemKind::Struct, "S"),
                (ItemKind::Other, "A"),
                (ItemKind::Constant, "broken"),
            ]
        );
    }

    #[test]
    fn counts_are_bounded_and_the_bounds_are_reached() {
        assert_eq!(reason(&"fn f(){}".repeat(limits::FUNCTIONS)), None);
        assert_eq!(reason(&"fn f(){}\n".repeat(limits::FUNCTIONS + 1)), Some((RefusalReason::TooLarge, 1_025)));
        assert_eq!(reason(&"var<private> a: u32;".repeat(limits::VARIABLES)), None);
        let variables = "var<private> a: u32;".repeat(limits::VARIABLES + 1);
        assert_eq!(reason(&variables), Some((RefusalReason::TooLarge, 1)));
        assert_eq!(reason(&" ".repeat(limits::TEXT_BYTES)), None);
        assert_eq!(reason(&" ".repeat(limits::TEXT_BYTES + 1)), Some((RefusalReason::TooLarge, 0)));
        assert_eq!(reason(&";".repeat(limits::TOKENS)), None);
        assert_eq!(reason(&";".repeat(limits::TOKENS + 1)), Some((RefusalReason::TooLarge, 1)));
        assert_eq!(reason(&format!("fn f(){{{}}}", ";".repeat(limits::FUNCTION_TOKENS - 6))), None);
        let long = format!("\nfn f(){{{}}}", ";".repeat(limits::FUNCTION_TOKENS - 5));
        assert_eq!(reason(&long), Some((RefusalReason::TooLarge, 2)));
    }

    #[test]
    fn extensions_are_unsupported() {
        assert_eq!(reason("\n enable f16;"), Some((RefusalReason::Unsupported, 2)));
        assert_eq!(reason("// enable f16;\nfn f() { }"), None);
    }
}
