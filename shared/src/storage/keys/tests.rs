use super::*;

fn key(pk: &str, sk: &str) -> Key {
    Key::new(pk.to_owned(), sk)
}

#[test]
fn the_exact_strings() {
    let zero = uuid::Uuid::nil();
    let id = "-".repeat(22);
    assert_eq!(Key::object("acme", "call", CallId::from(zero)), key(&format!("acme#call#{id}"), "."));
    assert_eq!(Key::company("acme"), key("acme#company", "."));
    assert_eq!(Key::usage("acme"), key("acme#company", "usage"));
    assert_eq!(Key::session("acme", zero.into(), zero.into()), key(&format!("acme#user#{id}"), &format!("session#{id}")));
    assert_eq!(Key::member("acme", zero.into(), zero.into()), key(&format!("acme#department#{id}"), &format!("member#{id}")));
    assert_eq!(Key::desk("acme", zero.into()), key(&format!("acme#department#{id}"), "desk"));
    assert_eq!(Key::hours("acme", zero.into()), key(&format!("acme#department#{id}"), "hours"));
    assert_eq!(Key::ticket("acme", zero.into(), zero.into()), key(&format!("acme#queue#{id}"), &id));
    assert_eq!(Key::agenda("acme", zero.into(), "2026-02-20"), key(&format!("acme#agenda#{id}"), "2026-02-20"));
    assert_eq!(Key::reminder("acme", zero.into()), key(&format!("acme#appointment#{id}"), "reminder"));
    assert_eq!(Key::feed("acme", zero.into()), key(&format!("acme#user#{id}"), "feed"));
    assert_eq!(Key::feed_token(&[15; 32]), key(&format!("~feed#{}", "0f".repeat(32)), "."));
    assert_eq!(Key::webhook("acme", &id), key("acme#webhook", &id));
    assert_eq!(Key::tag("acme", &id), key("acme#tag", &id));
    assert_eq!(Key::tag_desk("acme", zero.into()), key("acme#tag", &format!("{id}#desk")));
    assert_eq!(Key::tag_tree("acme"), key("acme#tag", "!"));
    assert!(Key::tag_tree("acme") < Key::tag("acme", &id));
    assert_eq!(Key::row("acme", "call", ("tag_id", "x"), "7#y"), key("acme#call#tag_id#x", "7#y"));
    assert_eq!(Key::guard("acme", "user", "email", "a#b@c.d"), key("acme#user#email#a#b@c.d", "guard"));
    assert_eq!(Key::matching("acme", "email", "a@b.c"), key("acme#customer#email#a@b.c", "match"));
    let link = Key::of_customer("acme", zero.into(), LINKS, CallId::from(zero));
    assert_eq!(link, key(&format!("acme#customer#{id}"), &format!("link#{id}")));
    let former = Key::former("acme", zero.into(), "call", CallId::from(zero));
    assert_eq!(former, key(&format!("acme#customer#{id}"), &format!("former#call#{id}")));
    assert_eq!(Key::counter("acme", "call", "", 3), key("acme#count#call", "3"));
    assert_eq!(Key::counter("acme", "call", "user_id#x", 0), key("acme#count#call#user_id#x", "0"));
    assert_eq!(Key::word("acme", "user", "ana", &id), key("acme#words#user", &format!("ana#{id}")));
    assert_eq!(Key::token("t0k3n"), key("~token#t0k3n", "."));
    assert_eq!(Key::call_tenant(zero.into()), key(&format!("~call#{id}"), "."));
    assert_eq!(Key::batch("acme", zero.into(), 7), key(&format!("acme#batch#{id}"), "007"));
    assert_eq!(Key::batch("acme", zero.into(), 7).kind(), "batch");
    assert_eq!(Key::idempotency("h4sh").piece(2), key("~idempotency#h4sh", "2"));
    assert_eq!(list("acme", "call", Some(("status", "queued"))), "acme#call#status#queued");
    assert_eq!(values("acme", "customer", "phone"), "acme#customer#phone");
    assert_eq!(about("acme", "x"), "acme#about#x");
    let due = due_at(Time::from_epoch(7), &Key::company("acme"));
    assert_eq!(due, "0000000007#acme#company#.");
    assert!(!is_due(&due, Time::from_epoch(6)) && is_due(&due, Time::from_epoch(7)) && is_due(&due, Time::from_epoch(8)));
}
