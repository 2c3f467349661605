use super::*;

#[test]
fn parses() {
    assert!(Filter::parse("op=add").is_ok());
}
