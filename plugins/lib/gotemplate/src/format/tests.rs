use super::*;
use crate::{List, Map};

#[track_caller]
fn check(format: &str, values: &[Value], expected: &str) {
    assert_eq!(
        sprintf(format, values).unwrap(),
        Text::from(expected),
        "{format}"
    );
}

fn list() -> Value {
    Value::from(vec![Value::Int(1), Value::from("a"), Value::Nil])
}

#[test]
fn plain_verbs() {
    check("%s-%s", &["a".into(), "b".into()], "a-b");
    check(
        "%d|%5d|%-5d|%05d|%+d",
        &[1, 2, 3, 4, 5].map(Value::Int),
        "1|    2|3    |00004|+5",
    );
    check(
        "%x %X %#x %o %#o %O %b %c %q %U",
        &vec![Value::Int(233); 10],
        "e9 E9 0xe9 351 0351 0o351 11101001 é 'é' U+00E9",
    );
    check(
        "%.2f %.0f %e %g %v",
        &[2.5, 2.5, 2.5, 1e6, 1e6].map(Value::Float),
        "2.50 2 2.500000e+00 1e+06 1e+06",
    );
    check(
        "%t %v %q %x",
        &[true.into(), Value::Nil, "a\n".into(), "hi".into()],
        "true <nil> \"a\\n\" 6869",
    );
    check(
        "%5s|%-5s|%.2s|%05s",
        &vec![Value::from("éab"); 4],
        "  éab|éab  |éa|00éab",
    );
    check(
        "%*d|%.*f",
        &[
            Value::Int(4),
            Value::Int(7),
            Value::Int(1),
            Value::Float(0.25),
        ],
        "   7|0.2",
    );
    check("%[2]s %[1]s", &["a".into(), "b".into()], "b a");
}

#[test]
fn containers() {
    check("%v", &[list()], "[1 a <nil>]");
    check("%d", &[list()], "[1 %!d(string=a) <nil>]");
    check(
        "%#v",
        &[list()],
        "[]interface {}{1, \"a\", interface {}(nil)}",
    );
    let map = Map::from_iter([("b", Value::Int(1)), ("a", Value::from("x"))]);
    check("%v", &[map.clone().into()], "map[a:x b:1]");
    check("%s", &[map.clone().into()], "map[a:x b:%!s(int=1)]");
    check(
        "%#v",
        &[map.into()],
        "map[string]interface {}{\"a\":\"x\", \"b\":1}",
    );
    check(
        "%#v %T",
        &vec![Value::from(List::of_texts(["a"])); 2],
        "[]string{\"a\"} []string",
    );
    check(
        "%v %s",
        &vec![Value::Bytes(Text::from("hi")); 2],
        "[104 105] hi",
    );
}

#[test]
fn mistakes() {
    check("%d", &[Value::Float(8080.0)], "%!d(float64=8080)");
    check("%s", &[Value::Nil], "%!s(<nil>)");
    check("%s", &[], "%!s(MISSING)");
    check(
        "x",
        &["b".into(), Value::Int(3)],
        "x%!(EXTRA string=b, int=3)",
    );
    check("%z", &[Value::Int(1)], "%!z(int=1)");
    check("%!", &[], "%!!(MISSING)");
    check("100%", &[], "100%!(NOVERB)");
    check("%[3]d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%*d", &["a".into(), Value::Int(1)], "%!(BADWIDTH)1");
    check("%%", &[], "%");
}

#[test]
fn print_puts_blanks_between_what_is_no_text() {
    let values = [
        Value::Int(1),
        Value::Int(2),
        "a".into(),
        Value::Int(3),
        Value::Nil,
    ];
    assert_eq!(sprint(&values).unwrap(), Text::from("1 2a3 <nil>"));
    assert_eq!(sprintln(&values).unwrap(), Text::from("1 2 a 3 <nil>\n"));
}

#[test]
fn a_map_that_contains_itself_is_an_error() {
    let map = Map::new();
    map.insert("self", map.clone()).unwrap();
    assert!(strval(&map.clone().into()).is_err());
    map.remove("self");
}
