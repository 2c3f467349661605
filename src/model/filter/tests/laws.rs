//! What holds for every filter: written out it is the same one, negation is what logic says, and no text makes a panic.

use proptest::prelude::*;

use super::super::*;
use crate::model::field::logged;
use crate::model::fixture::Host;

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9*._:/-]{1,8}",
        "\\PC{0,8}".prop_map(|t| format!("\"{}\"", t.replace('\\', "\\\\").replace('"', "\\\""))),
    ]
}

fn term() -> impl Strategy<Value = String> {
    let text = logged().filter(|f| matches!(f.kind, crate::model::field::ValueKind::Text)).map(|f| f.name);
    prop_oneof![
        value().prop_filter("a word", |v| v != "\"\"" && !matches!(&v[..], "and" | "or" | "not")),
        (prop::sample::select(text.collect::<Vec<_>>()), "=|!=", prop::collection::vec(value(), 1..3))
            .prop_map(|(name, comparison, values)| format!("{name}{comparison}{}", values.join(","))),
        ("count|uid|line|errno", "=|!=|<|<=|>|>=", any::<u64>()).prop_map(|(name, c, n)| format!("{name}{c}{n}")),
        "op(=|!=)(add|del|a\\*),(test|flush)",
        "elem=(10\\.0\\.0\\.[0-9]|10\\.0\\.0\\.0/[0-9]|::1|tcp:80)",
    ]
}

fn tree() -> impl Strategy<Value = String> {
    term().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| format!("not ({e})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|e| format!("({})", e.join(") ("))),
            prop::collection::vec(inner, 2..4).prop_map(|e| format!("({})", e.join(") or ("))),
        ]
    })
}

proptest! {
    #[test]
    fn display_parses_to_the_same_filter(text in tree()) {
        let first = Filter::parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let second = Filter::parse(first.text()).map_err(|e| TestCaseError::fail(format!("{first}: {e}")))?;
        prop_assert_eq!(&first, &second);
        for r in Host::new(20, 8).take(50) {
            prop_assert_eq!(first.matches(&r), second.matches(&r), "{} {:?}", first, r);
        }
    }

    #[test]
    fn de_morgan(a in tree(), b in tree()) {
        let both = Filter::parse(&format!("not (({a}) ({b}))"));
        let either = Filter::parse(&format!("not ({a}) or not ({b})"));
        if let (Ok(both), Ok(either)) = (both, either) {
            for r in Host::new(20, 8).take(20) {
                prop_assert_eq!(both.matches(&r), either.matches(&r));
            }
        }
    }

    #[test]
    fn no_panic_on_any_text(text in "\\PC{0,40}") {
        let _ = Filter::parse(&text);
    }

    #[test]
    fn no_panic_on_nearly_filters(text in "([a-z_]{0,8}[=!~<>,\"()* \\\\]{0,3}){0,8}") {
        if let Ok(f) = Filter::parse(&text) {
            for r in Host::new(2, 2).take(3) {
                let _ = f.matches(&r);
            }
            prop_assert_eq!(Filter::parse(f.text()).ok(), Some(f));
        }
    }
}
