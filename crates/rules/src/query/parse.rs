//! From the text of an expression to its tree, by precedence: OR, AND, NOT, comparisons, `+ -`, `* / %`, minus.

use std::ops::Range;

use super::Condition;
use super::expression::{Comparison, Expression, List, Literal, Search, Test};
use super::names::{LinePath, Words, line_path_of};
use super::number::Arithmetic;
use crate::path::{Bare, TextFault, read_path, read_string, starts_name};

/// Levels of parentheses, NOT and minus inside of each other.
const DEPTH_MAX: usize = 128;
/// Arithmetic operators in one expression.
const ARITHMETIC_MAX: usize = 256;

enum Function {
    Test(Test),
    Search(Search),
}

const FUNCTIONS: [(&str, Function); 13] = [
    ("is_defined", Function::Test(Test::Defined)),
    ("is_null", Function::Test(Test::Null)),
    ("is_bool", Function::Test(Test::Bool)),
    ("is_number", Function::Test(Test::Number)),
    ("is_string", Function::Test(Test::Text)),
    ("is_object", Function::Test(Test::Object)),
    ("is_array", Function::Test(Test::Array)),
    ("is_primitive", Function::Test(Test::Primitive)),
    ("startswith", Function::Search(Search::Start)),
    ("starts_with", Function::Search(Search::Start)),
    ("endswith", Function::Search(Search::End)),
    ("ends_with", Function::Search(Search::End)),
    ("contains", Function::Search(Search::Anywhere)),
];

/// Functions that the language has for message routes alone.
const ROUTE_FUNCTIONS: [&str; 14] = [
    "abs",
    "exp",
    "power",
    "square",
    "ceiling",
    "floor",
    "sign",
    "sqrt",
    "as_number",
    "concat",
    "length",
    "lower",
    "upper",
    "substring",
];

/// Words of SQL that the language does not have, with what it has instead.
const OTHER_SQL: [(&str, &str); 6] = [
    ("like", "write startswith(a, 'x'), endswith(a, 'x') or contains(a, 'x')"),
    ("between", "write a >= 1 AND a <= 9"),
    ("is", "write is_null(a) or is_defined(a)"),
    ("where", "only what stands after WHERE is written"),
    ("select", "only what stands after WHERE is written"),
    ("exists", "write is_defined(a)"),
];

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Condition, TextFault> {
    let mut parser = Parser { text, at: 0, depth: 0, arithmetic: 0, paths: Vec::new() };
    let root = parser.or()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.unexpected("expected AND, OR, a comparison, or the end of the expression"));
    }
    Ok(Condition { root, paths: parser.paths })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    arithmetic: usize,
    paths: Vec<LinePath>,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// The word that comes next, and its length; empty where there is none.
    fn word(&mut self) -> &'t str {
        self.skip_space();
        let rest = self.rest();
        if !rest.starts_with(starts_name) {
            return "";
        }
        let ends = |character: char| !(character.is_alphanumeric() || matches!(character, '_' | '$'));
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    /// Takes a keyword, in any case, if it comes next.
    fn takes(&mut self, keyword: &str) -> bool {
        let word = self.word();
        let there = word.eq_ignore_ascii_case(keyword);
        if there {
            self.at += word.len();
        }
        there
    }

    fn takes_symbol(&mut self, symbol: &str) -> bool {
        self.skip_space();
        let there = self.rest().starts_with(symbol);
        if there {
            self.at += symbol.len();
        }
        there
    }

    fn expects(&mut self, symbol: &str, expected: &str) -> Result<(), TextFault> {
        if self.takes_symbol(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// What comes next, as the place of a fault.
    fn next_place(&mut self) -> Range<usize> {
        let word = self.word().len();
        let found = if word > 0 { word } else { self.rest().chars().next().map_or(0, char::len_utf8) };
        self.at..self.at + found
    }

    fn unexpected(&mut self, expected: &str) -> TextFault {
        let at = self.next_place();
        let word = &self.text[at.clone()];
        let found = if word.is_empty() { "but the expression ends".to_owned() } else { format!("found {word}") };
        let fault = TextFault::new(at, format!("{expected}, {found}"));
        let rest = self.rest();
        if let Some((_, hint)) = OTHER_SQL.iter().find(|(sql, _)| word.eq_ignore_ascii_case(sql)) {
            return fault.hint(*hint);
        }
        for (symbol, hint) in [
            ("==", "equal is written ="),
            ("=", "comparisons don't follow each other; put one in parentheses"),
            ("&&", "write AND"),
            ("||", "write OR"),
            ("!", "write NOT, or != for not equal"),
            ("\u{2018}", "texts stand in straight quotes: 'x'"),
            ("\u{2019}", "texts stand in straight quotes: 'x'"),
            ("\u{201c}", "texts stand in straight quotes: 'x'"),
        ] {
            if rest.starts_with(symbol) {
                return fault.hint(hint);
            }
        }
        fault
    }

    /// Goes one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, TextFault>) -> Result<T, TextFault> {
        if self.depth == DEPTH_MAX {
            let at = self.next_place();
            return Err(TextFault::new(at, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Result<Expression, TextFault> {
        let first = self.and()?;
        let mut all = vec![first];
        while self.takes("or") {
            all.push(self.and()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Or(all) })
    }

    fn and(&mut self) -> Result<Expression, TextFault> {
        let first = self.not()?;
        let mut all = vec![first];
        while self.takes("and") {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn not(&mut self) -> Result<Expression, TextFault> {
        if self.takes("not") {
            let inner = self.deeper(Self::not)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, TextFault> {
        self.skip_space();
        let start = self.at;
        let left = self.sum()?;
        let left_at = start..self.at;
        if self.takes("in") {
            return self.list(left, false);
        }
        if self.takes("nin") {
            return self.list(left, true);
        }
        if self.word().eq_ignore_ascii_case("not") {
            return Err(self.unexpected("expected AND, OR or a comparison").hint("not in a list is written NIN"));
        }
        let Some(comparison) = self.comparison_operator()? else {
            return Ok(left);
        };
        self.skip_space();
        let start = self.at;
        let right = self.sum()?;
        let right_at = start..self.at;
        let left = self.checked_operand(left, &right, comparison, &left_at)?;
        let right = self.checked_operand(right, &left, comparison, &right_at)?;
        Ok(Expression::Compare(comparison, Box::new(left), Box::new(right)))
    }

    fn comparison_operator(&mut self) -> Result<Option<Comparison>, TextFault> {
        self.skip_space();
        if self.rest().starts_with("==") {
            return Err(self.unexpected("expected a comparison"));
        }
        for (symbol, comparison) in [
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.takes_symbol(symbol) {
                return Ok(Some(comparison));
            }
        }
        Ok(None)
    }

    /// A side of a comparison, looked at for what can never hold; a word of the hub becomes the canonical one.
    fn checked_operand(
        &self,
        operand: Expression,
        other: &Expression,
        comparison: Comparison,
        at: &Range<usize>,
    ) -> Result<Expression, TextFault> {
        match &operand {
            Expression::Literal(Literal::Undefined) => {
                Err(TextFault::new(at.clone(), "a comparison with undefined never holds")
                    .hint("write is_defined(a) or NOT is_defined(a)"))
            }
            Expression::Literal(Literal::Null) if comparison != Comparison::Equal => Err(TextFault::new(
                at.clone(),
                "this comparison with null never holds: values of two types don't compare",
            )
            .hint("write NOT is_null(a), which also holds where a is not there")),
            Expression::Literal(literal) => match self.words_of(other) {
                Some(words) => {
                    let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                    checked_word(words, literal, ordered, at).map(Expression::Literal)
                }
                None => Ok(operand),
            },
            _ => Ok(operand),
        }
    }

    fn words_of(&self, expression: &Expression) -> Option<Words> {
        match expression {
            Expression::Path(number) => self.paths[*number].words,
            _ => None,
        }
    }

    fn list(&mut self, value: Expression, negated: bool) -> Result<Expression, TextFault> {
        self.skip_space();
        if self.rest().starts_with('(') {
            return Err(self.unexpected("expected a list").hint("a list stands in square brackets: ['a', 'b']"));
        }
        self.expects("[", "expected a list in square brackets")?;
        let words = self.words_of(&value);
        let mut list = Vec::new();
        loop {
            self.skip_space();
            let start = self.at;
            let item = self.deeper(Self::sum)?;
            let at = start..self.at;
            list.push(match (item, words) {
                (Expression::Literal(Literal::Undefined), _) => {
                    return Err(TextFault::new(at, "a comparison with undefined never holds"));
                }
                (Expression::Literal(literal), Some(words)) => {
                    Expression::Literal(checked_word(words, &literal, false, &at)?)
                }
                (item, _) => item,
            });
            if !self.takes_symbol(",") {
                break;
            }
        }
        self.expects("]", "expected a comma or ] in the list")?;
        Ok(Expression::In { value: Box::new(value), list: List::of(list), negated })
    }

    fn count_arithmetic(&mut self, symbol_at: usize) -> Result<(), TextFault> {
        self.arithmetic += 1;
        if self.arithmetic > ARITHMETIC_MAX {
            let at = symbol_at..symbol_at + 1;
            return Err(TextFault::new(at, format!("more than {ARITHMETIC_MAX} arithmetic operators")));
        }
        Ok(())
    }

    fn sum(&mut self) -> Result<Expression, TextFault> {
        let mut left = self.product()?;
        loop {
            let operator = match () {
                () if self.takes_symbol("+") => Arithmetic::Add,
                () if self.takes_symbol("-") => Arithmetic::Subtract,
                () => return Ok(left),
            };
            let symbol_at = self.at - 1;
            self.count_arithmetic(symbol_at)?;
            let right = self.product().map_err(|fault| self.with_hyphen_hint(fault, operator, symbol_at))?;
            left = Expression::Calculate(operator, Box::new(left), Box::new(right));
        }
    }

    /// `tags.my-site` is a subtraction: said where that is probably not what was meant.
    fn with_hyphen_hint(&self, fault: TextFault, operator: Arithmetic, minus: usize) -> TextFault {
        let between_letters = |at: usize| {
            self.text[..at].ends_with(char::is_alphanumeric) && self.text[at + 1..].starts_with(char::is_alphabetic)
        };
        if operator == Arithmetic::Subtract && between_letters(minus) {
            return fault.hint("a name with - in it stands in double brackets: tags.[[my-site]]");
        }
        fault
    }

    fn product(&mut self) -> Result<Expression, TextFault> {
        let mut left = self.signed()?;
        loop {
            let operator = match () {
                () if self.takes_symbol("*") => Arithmetic::Multiply,
                () if self.takes_symbol("/") => Arithmetic::Divide,
                () if self.takes_symbol("%") => Arithmetic::Remainder,
                () => return Ok(left),
            };
            self.count_arithmetic(self.at - 1)?;
            let right = self.signed()?;
            left = Expression::Calculate(operator, Box::new(left), Box::new(right));
        }
    }

    fn signed(&mut self) -> Result<Expression, TextFault> {
        if !self.takes_symbol("-") {
            return self.primary();
        }
        Ok(match self.deeper(Self::signed)? {
            Expression::Literal(Literal::Number(text)) => {
                let text = match text.strip_prefix(b"-") {
                    Some(positive) => positive.into(),
                    None => [b"-", &*text].concat().into(),
                };
                Expression::Literal(Literal::Number(text))
            }
            other => {
                let zero = Box::new(Expression::Literal(Literal::Whole(0)));
                Expression::Calculate(Arithmetic::Subtract, zero, Box::new(other))
            }
        })
    }

    fn primary(&mut self) -> Result<Expression, TextFault> {
        self.skip_space();
        let rest = self.rest();
        if self.takes_symbol("(") {
            let inner = self.deeper(Self::or)?;
            self.expects(")", "expected )")?;
            return Ok(inner);
        }
        if rest.starts_with(['\'', '"']) {
            let (text, end) = read_string(self.text, self.at)?;
            self.at = end;
            return Ok(Expression::Literal(Literal::Text(text.into())));
        }
        if rest.starts_with(|character: char| character.is_ascii_digit() || character == '.') {
            return self.number();
        }
        if rest.starts_with("[[") {
            return self.path();
        }
        if rest.starts_with('[') {
            return Err(self.unexpected("expected a value").hint("a list stands only after IN and NIN"));
        }
        let word = self.word();
        let literal = match word.to_ascii_lowercase().as_str() {
            "" | "and" | "or" | "in" | "nin" => {
                return Err(self.unexpected("expected a value: a path, a text in quotes, a number or a function"));
            }
            "not" => return Err(self.unexpected("expected a value").hint("put NOT and what follows in parentheses")),
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            "null" => Literal::Null,
            "undefined" => Literal::Undefined,
            _ => return if rest[word.len()..].trim_start().starts_with('(') { self.function() } else { self.path() },
        };
        self.at += word.len();
        Ok(Expression::Literal(literal))
    }

    fn number(&mut self) -> Result<Expression, TextFault> {
        let rest = self.rest();
        let length = number_length(rest);
        let ends = |character: char| !(character.is_alphanumeric() || matches!(character, '_' | '.'));
        let all = rest.find(ends).unwrap_or(rest.len()).max(length.unwrap_or(0));
        let fault =
            || TextFault::new(self.at..self.at + all.max(1), "expected a number: digits, as in 17, -0.5, 1e6 or 0x1f");
        if let Some(digits) = rest.strip_prefix("0x").or(rest.strip_prefix("0X")) {
            let number = i128::from_str_radix(&digits[..all.saturating_sub(2)], 16).map_err(|_| fault())?;
            if digits.starts_with(['+', '-']) {
                return Err(fault());
            }
            self.at += all;
            return Ok(Expression::Literal(Literal::Whole(number)));
        }
        if length != Some(all) {
            return Err(fault());
        }
        self.at += all;
        Ok(Expression::Literal(Literal::Number(rest.as_bytes()[..all].into())))
    }

    fn path(&mut self) -> Result<Expression, TextFault> {
        let (names, end) = read_path(self.text, self.at, Bare::Identifier)?;
        let path = line_path_of(&names, true).map_err(|fault| match fault.hint {
            Some(_) if OTHER_SQL.iter().any(|(sql, _)| names[0].text.eq_ignore_ascii_case(sql.as_bytes())) => {
                self.unexpected("expected a value: a path, a text in quotes, a number or a function")
            }
            _ => fault,
        })?;
        self.at = end;
        let number = self.paths.iter().position(|known| *known == path).unwrap_or(self.paths.len());
        if number == self.paths.len() {
            self.paths.push(path);
        }
        Ok(Expression::Path(number))
    }

    fn function(&mut self) -> Result<Expression, TextFault> {
        let name = self.word();
        let at = self.at..self.at + name.len();
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) else {
            let known: Vec<&str> =
                FUNCTIONS.iter().map(|(known, _)| *known).filter(|name| !name.contains("s_with")).collect();
            let what = match ROUTE_FUNCTIONS.iter().any(|other| name.eq_ignore_ascii_case(other)) {
                true => format!("{name} is for message routes, not for conditions on twins"),
                false => format!("there is no function {name}"),
            };
            return Err(TextFault::new(at, what).hint(format!("there are {}", known.join(", "))));
        };
        self.at += name.len();
        self.expects("(", "expected (")?;
        let first = self.deeper(Self::or)?;
        match function {
            Function::Test(test) => {
                self.expects(")", "expected ) after the one argument")?;
                Ok(Expression::Test(*test, Box::new(first)))
            }
            Function::Search(search) => {
                self.expects(",", "expected a comma and a second argument")?;
                let second = self.deeper(Self::or)?;
                self.expects(")", "expected ) after the two arguments")?;
                Ok(Expression::Search(*search, Box::new(first), Box::new(second)))
            }
        }
    }
}

/// A literal beside a member that holds one of a few words.
fn checked_word(words: Words, literal: &Literal, ordered: bool, at: &Range<usize>) -> Result<Literal, TextFault> {
    let fault = |what: &str| {
        Err(TextFault::new(at.clone(), format!("{what}: the value is {}", words.list()))
            .hint("a path in brackets, as in [[status]], is compared as it stands in the line"))
    };
    match literal {
        Literal::Text(text) if ordered => Ok(Literal::Text(text.clone())),
        Literal::Text(text) => match words.canonical(text) {
            Some(canonical) => Ok(Literal::Text(canonical.as_bytes().into())),
            None => fault("this never holds"),
        },
        Literal::Null => Ok(Literal::Null),
        _ => fault("this never holds"),
    }
}

/// The length of a number by the grammar of JSON at the start of a text.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = digits(0);
    if at == 0 || (at > 1 && bytes[0] == b'0') {
        return None;
    }
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits((at + 1 + sign).min(bytes.len()));
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
