//! How deep a text nests: brackets, expressions, and blocks.
//!
//! Inside one pair of brackets and between commas, a path through an expression crosses each operator at most once and
//! enters at most one inner pair. So operators plus the deepest inner pair bound the depth of the expression.

use super::token::{Kind, Token};
use super::too_large;
use crate::{Refusal, limits};

/// What is open at some place in the text.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// Opened by a brace.
    is_block: bool,
    /// Operators since the last comma or statement.
    operators: u32,
    /// The deepest pair of brackets closed since then.
    inner: u32,
    /// The deepest expression between earlier commas.
    deepest: u32,
    /// How many `else if` the current statement has chained.
    chained: u32,
}

impl Level {
    fn expression_depth(&self) -> u32 {
        self.operators + self.inner
    }

    /// A comma: the next expression starts afresh, but inside the same brackets.
    fn separate(&mut self) {
        self.deepest = self.deepest.max(self.expression_depth());
        (self.operators, self.inner) = (0, 0);
    }

    /// The end of a statement.
    fn restart(&mut self) {
        (self.operators, self.inner, self.deepest) = (0, 0, 0);
    }
}

/// Refuses a text that nests too deep.
pub(super) fn check(text: &str, tokens: &[Token<'_>]) -> Result<(), Refusal> {
    let mut levels = vec![Level { is_block: true, ..Level::default() }];
    let (mut braces, mut blocks) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        let top = levels.len() - 1;
        match token.kind {
            Kind::Open(bracket) => {
                let is_block = bracket == b'{';
                if is_block {
                    levels[top].restart();
                    braces += 1;
                    blocks += 1;
                } else if bracket == b'[' {
                    levels[top].operators += 1;
                }
                levels.push(Level { is_block, ..Level::default() });
            }
            Kind::Close(b'}') => {
                // A brace closes what was left open inside it, as it would in a parser that gave up there.
                while levels.len() > 1 {
                    let closed = levels.pop().unwrap_or_default();
                    blocks -= closed.chained;
                    if closed.is_block {
                        (braces, blocks) = (braces - 1, blocks - 1);
                        break;
                    }
                }
                let top = levels.len() - 1;
                levels[top].restart();
                // Without an `else`, the next statement nests no deeper.
                if tokens.get(index + 1).is_none_or(|next| next.text != "else") {
                    blocks -= levels[top].chained;
                    levels[top].chained = 0;
                }
            }
            Kind::Close(_) if !levels[top].is_block => {
                levels[top].separate();
                let closed = levels.pop().unwrap_or_default();
                let outer = levels.len() - 1;
                levels[outer].inner = levels[outer].inner.max(closed.deepest + 1);
            }
            Kind::Comma => levels[top].separate(),
            Kind::Semicolon => levels[top].restart(),
            Kind::Operator => levels[top].operators += 1,
            Kind::Word if token.text == "else" && tokens.get(index + 1).is_some_and(|next| next.text == "if") => {
                levels[top].chained += 1;
                blocks += 1;
            }
            Kind::Word | Kind::Number | Kind::Other | Kind::Close(_) => {}
        }
        check_depths(text, token, &levels, braces, blocks)?;
    }
    Ok(())
}

/// Refuses `token` if it made something too deep.
fn check_depths(text: &str, token: &Token<'_>, levels: &[Level], braces: usize, blocks: u32) -> Result<(), Refusal> {
    let depth = levels.last().map_or(0, Level::expression_depth);
    let what = if braces > limits::BRACE_DEPTH {
        format!("braces nest deeper than {}", limits::BRACE_DEPTH)
    } else if levels.len() - 1 - braces > limits::BRACKET_DEPTH {
        format!("parentheses and brackets nest deeper than {}", limits::BRACKET_DEPTH)
    } else if depth > limits::EXPRESSION_DEPTH {
        format!("the expression chains more than {} operators", limits::EXPRESSION_DEPTH)
    } else if blocks > limits::BLOCK_DEPTH {
        format!("blocks and `else if` nest deeper than {}", limits::BLOCK_DEPTH)
    } else {
        return Ok(());
    };
    Err(too_large(text, token.offset, &what, "give parts of it names or functions of their own"))
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    fn fits(text: &str) -> bool {
        check(text, &tokens(text).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn depth_is_bounded_and_the_bounds_are_reached() {
        for (open, close, limit) in [("(", ")", 127), ("{", "}", 127), ("[", "]", 127), ("(", "", 127)] {
            let nested = |n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
            assert!(fits(&nested(limit)), "{open} × {limit}");
            assert!(!fits(&nested(limit + 1)), "{open} × {}", limit + 1);
        }
        for (chain, limit) in [("+a", 512), ("!", 512), ("- ", 512), (".x", 512), ("[0]", 511), ("<a", 512)] {
            assert!(fits(&format!("a{}", chain.repeat(limit))), "{chain} × {limit}");
            assert!(!fits(&format!("a{}", chain.repeat(limit + 2))), "{chain} × {}", limit + 2);
        }
        assert!(fits(&format!("if a {{}} {}", "else if a {}".repeat(255))));
        assert!(!fits(&format!("if a {{}} {}", "else if a {}".repeat(256))));
    }

    #[test]
    fn what_is_side_by_side_does_not_add_up() {
        assert!(fits(&"f((a), [b], {c});".repeat(10_000)));
        assert!(fits(&"a + b, ".repeat(10_000)));
        assert!(fits(&"a + b;".repeat(10_000)));
        assert!(fits(&"if a { b; } else if c { d; } else { e; }".repeat(10_000)));
        assert!(fits(&format!("a{}", "+(b*c)".repeat(500))));
    }

    #[test]
    fn what_alternates_adds_up() {
        // 100 pairs of brackets with 9 operators in front of each are 900 operators deep.
        assert!(!fits(&format!("{}a{}", "-+-+-+-+-(".repeat(100), ")".repeat(100))));
        assert!(!fits(&format!("{}a{}", "(".repeat(100), "+a+a+a+a+a+a+a+a+a)".repeat(100))));
        let chained = format!("if a {{}} {} else if a {{", "else if a {}".repeat(20));
        assert!(!fits(&chained.repeat(13)));
        assert!(fits(&chained.repeat(10)));
    }

    #[test]
    fn stray_brackets_are_left_to_the_parser() {
        assert!(fits(")]}})]((}}}{{)"));
        assert!(fits(&"}".repeat(10_000)));
        assert!(fits(&"(}".repeat(10_000)));
    }
}
