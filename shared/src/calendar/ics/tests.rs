use super::*;
use crate::calendar::lcg::Lcg;

fn event(summary: &str) -> Event {
    Event {
        uid: "019c-7@voki".into(),
        sequence: 2,
        stamp: "2026-02-19T08:00:00Z".parse().unwrap(),
        last_modified: None,
        start: "2026-02-20T10:00:00Z".parse().unwrap(),
        end: "2026-02-20T07:30:00-03:00".parse().unwrap(),
        status: Status::Confirmed,
        summary: summary.into(),
        description: None,
        organizer: None,
    }
}

fn written(event: Event) -> String {
    Calendar { method: Method::Publish, name: None, events: vec![event] }.to_string()
}

/// The lines of a calendar, unfolded, after a look at their form.
fn lines(calendar: &str) -> Vec<String> {
    let body = calendar.strip_suffix("\r\n").unwrap();
    for line in body.split("\r\n") {
        assert!((1..=MAX_LINE).contains(&line.len()), "{line:?}");
        assert!(!line.chars().any(|c| c.is_control() || is_break(c)), "{line:?}");
    }
    body.replace("\r\n ", "").split("\r\n").map(ToOwned::to_owned).collect()
}

fn line_of(event: Event, property: &str) -> String {
    lines(&written(event)).into_iter().find(|line| line.starts_with(property)).unwrap()
}

#[test]
fn a_whole_calendar() {
    let mut event = event("Consulta, João; retorno");
    event.last_modified = Some(event.stamp);
    event.status = Status::Cancelled;
    event.description = Some("C:\\novo\r\nlinha\r\u{2028}fim".into());
    event.organizer = Some(Person { name: Some("Clínica: \"Sol\", ^filial\nnorte".into()), email: "a+b@clinica.test".into() });
    let calendar = Calendar { method: Method::Cancel, name: None, events: vec![event] }.to_string();
    let expected = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Voki//Calendar//EN",
        "VERSION:2.0",
        "METHOD:CANCEL",
        "BEGIN:VEVENT",
        "UID:019c-7@voki",
        "SEQUENCE:2",
        "DTSTAMP:20260219T080000Z",
        "LAST-MODIFIED:20260219T080000Z",
        "DTSTART:20260220T100000Z",
        "DTEND:20260220T103000Z",
        "STATUS:CANCELLED",
        r"SUMMARY:Consulta\, João\; retorno",
        r"DESCRIPTION:C:\\novo\nlinha\n\nfim",
        r#"ORGANIZER;CN="Clínica: ^'Sol^', ^^filial norte":mailto:a+b@clinica.test"#,
        "END:VEVENT",
        "END:VCALENDAR",
    ];
    assert_eq!(lines(&calendar), expected);
}

#[test]
fn an_address_is_one_address() {
    let mut event = event("x");
    event.organizer = Some(Person { name: None, email: "x?cc=evil@a.test\r\nX:1".into() });
    assert_eq!(line_of(event, "ORGANIZER"), "ORGANIZER:mailto:x%3Fcc%3Devil@a.testX%3A1");
}

#[test]
fn nobody_injects_a_line() {
    for c in (0..=0x9f).chain([0x2028, 0x2029, 0xfeff]).filter_map(char::from_u32) {
        let evil = format!("x{c}ATTENDEE:evil{c}\r\n{c}\n END:VEVENT\r\n");
        let person = Person { name: Some(evil.clone()), email: evil.clone() };
        let mut event = event(&evil);
        event.uid.clone_from(&evil);
        event.description = Some(evil);
        event.organizer = Some(person);
        let calendar = written(event);
        let lines = lines(&calendar);
        let names: Vec<_> = lines.iter().filter_map(|line| line.split([':', ';']).next()).collect();
        let expected = "BEGIN PRODID VERSION METHOD BEGIN UID SEQUENCE DTSTAMP DTSTART DTEND STATUS SUMMARY DESCRIPTION \
                        ORGANIZER END END";
        assert_eq!(names.join(" "), expected, "{c:?}");
    }
}

#[test]
fn lines_fold_at_75_octets_and_between_characters() {
    let name = "SUMMARY:".len();
    for (filler, folds) in [(MAX_LINE - name - 4, 0), (MAX_LINE - name - 3, 1), (MAX_LINE - name, 1)] {
        let calendar = written(event(&format!("{}🎉", "x".repeat(filler))));
        assert_eq!(calendar.matches("\r\n ").count(), folds, "{filler}");
        assert!(calendar.contains('🎉'));
    }
    let long = "x".repeat(MAX_LINE - name + 2 * (MAX_LINE - 1));
    assert_eq!(written(event(&long)).matches("\r\n ").count(), 2);
    assert_eq!(line_of(event(&long), "SUMMARY"), format!("SUMMARY:{long}"));
}

/// Reads a value of type TEXT back, one character after the other.
fn unescaped(value: &str) -> String {
    let mut chars = value.chars();
    let mut read = String::new();
    while let Some(c) = chars.next() {
        read.push(match c {
            '\\' => match chars.next().unwrap() {
                'n' => '\n',
                c @ ('\\' | ';' | ',') => c,
                c => panic!("an escape that nobody knows: {c}"),
            },
            c => c,
        });
    }
    read
}

#[test]
fn random_texts_there_and_back() {
    let alphabet: Vec<_> = "aé日🎉👩\u{200d}\u{301}\\nN;,:\"^= \n".chars().collect();
    let mut random = Lcg(3);
    for _ in 0..3000 {
        let length = random.below(200);
        let count = u32::try_from(alphabet.len()).unwrap();
        let text: String = (0..length).map(|_| alphabet[random.below(count) as usize]).collect();
        let line = line_of(event(&text), "SUMMARY:");
        assert_eq!(unescaped(&line["SUMMARY:".len()..]), text);
        let mut event = event("");
        event.organizer = Some(Person { name: Some(text.clone()), email: "a@b.test".into() });
        let line = line_of(event, "ORGANIZER;");
        let name = line.strip_prefix("ORGANIZER;CN=\"").unwrap().strip_suffix("\":mailto:a@b.test").unwrap();
        assert!(!name.contains('"'));
        let name = name.replace("^^", "\0").replace("^'", "\"").replace('\0', "^");
        assert_eq!(name, text.replace('\n', " "));
    }
}
