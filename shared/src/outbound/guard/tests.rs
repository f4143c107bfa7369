//! Every writing of an address, and every range to its edges.

use super::*;

const CLOUD: Policy = Policy { allow_private: false };
const LAPTOP: Policy = Policy { allow_private: true };

#[test]
fn urls_that_may_be_saved() {
    for (text, saved) in [
        ("https://example.com", "https://example.com/"),
        ("  https://Example.COM/Hook?a=b#c ", "https://example.com/Hook?a=b#c"),
        ("HTTPS://example.com:443/", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("https://example.com./", "https://example.com./"),
        ("https://olá.com.br/é", "https://xn--ol-nia.com.br/%C3%A9"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://0x08.8.2056/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://[::ffff:8.8.8.8]/", "https://[::ffff:808:808]/"),
        ("https://[64:ff9b::8.8.8.8]/", "https://[64:ff9b::808:808]/"),
        ("https://local.example.com/", "https://local.example.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://hook.test/a b|{}", "https://hook.test/a%20b|%7B%7D"),
    ] {
        assert_eq!(CLOUD.parse(text).as_ref().map(Url::as_str), Ok(saved), "{text}");
    }
}

#[test]
fn urls_that_may_not_be_saved() {
    use Refusal::{Credentials, Malformed, NoHost, NotHttps, Port};
    for (text, refusal) in [
        ("", Malformed),
        ("example.com/hook", Malformed),
        ("//example.com/hook", Malformed),
        ("https://", NoHost),
        ("https:///", NoHost),
        ("https://exa mple.com/", Malformed),
        ("https://exa\nmple.com/", Malformed),
        ("https://example.com/\r\nX-Injected: 1", Malformed),
        ("https://example.com\0/", Malformed),
        ("https://example.com:99999/", Malformed),
        ("https://[::1/", Malformed),
        ("https://1.2.3.4.5/", Malformed),
        ("http://example.com/", NotHttps),
        ("ftp://example.com/", NotHttps),
        ("file:///etc/passwd", NotHttps),
        ("javascript:alert(1)", NotHttps),
        ("data:text/plain,hi", NotHttps),
        ("https://user@example.com/", Credentials),
        ("https://:secret@example.com/", Credentials),
        ("https://example.com@127.0.0.1/", Credentials),
        ("https://example.com:0/", Port(0)),
        ("https://example.com:22/", Port(22)),
        ("https://example.com:25/", Port(25)),
        ("https://example.com:6667/", Port(6667)),
    ] {
        assert_eq!(CLOUD.parse(text), Err(refusal), "{text:?}");
    }
}

#[test]
fn the_length_is_counted_in_characters() {
    let url = |length: usize| format!("https://example.com/{}", "é".repeat(length - 20));
    assert!(CLOUD.parse(&url(2_048)).is_ok());
    assert_eq!(CLOUD.parse(&url(2_049)), Err(Refusal::TooLong));
    assert!(Refusal::TooLong.to_string().contains(&MAX_URL_CHARS.to_string()));
}

#[test]
fn literal_addresses_and_local_names_in_every_writing() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "%31%32%37.0.0.1",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "169.254.170.2",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::8.8.8.8]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "a.b.localhost.",
        "ｌｏｃａｌｈｏｓｔ",
        "printer.local",
        "metadata.google.internal",
        "metadata.google.internal.",
        "x.INTERNAL",
        "router.home.arpa",
        "intranet",
        "kubernetes",
        "com",
    ] {
        let text = format!("https://{host}/latest/meta-data");
        assert_eq!(CLOUD.parse(&text), Err(Refusal::Reserved), "{host}");
        assert!(LAPTOP.parse(&text).is_ok(), "{host}");
    }
}

#[test]
fn ipv4_ranges_to_their_edges() {
    for (ip, public) in [
        ("0.255.255.255", false),
        ("1.0.0.0", true),
        ("9.255.255.255", true),
        ("10.0.0.0", false),
        ("10.255.255.255", false),
        ("11.0.0.0", true),
        ("100.63.255.255", true),
        ("100.64.0.0", false),
        ("100.127.255.255", false),
        ("100.128.0.0", true),
        ("126.255.255.255", true),
        ("127.0.0.0", false),
        ("127.255.255.255", false),
        ("128.0.0.0", true),
        ("169.253.255.255", true),
        ("169.254.0.0", false),
        ("169.254.255.255", false),
        ("169.255.0.0", true),
        ("172.15.255.255", true),
        ("172.16.0.0", false),
        ("172.31.255.255", false),
        ("172.32.0.0", true),
        ("191.255.255.255", true),
        ("192.0.0.0", false),
        ("192.0.0.255", false),
        ("192.0.1.0", true),
        ("192.0.2.0", false),
        ("192.0.2.255", false),
        ("192.0.3.0", true),
        ("192.88.98.255", true),
        ("192.88.99.1", false),
        ("192.88.100.0", true),
        ("192.167.255.255", true),
        ("192.168.0.0", false),
        ("192.168.255.255", false),
        ("192.169.0.0", true),
        ("198.17.255.255", true),
        ("198.18.0.0", false),
        ("198.19.255.255", false),
        ("198.20.0.0", true),
        ("198.51.99.255", true),
        ("198.51.100.0", false),
        ("198.51.101.0", true),
        ("203.0.112.255", true),
        ("203.0.113.0", false),
        ("203.0.114.0", true),
        ("223.255.255.255", true),
        ("224.0.0.0", false),
        ("239.255.255.255", false),
        ("240.0.0.0", false),
        ("255.255.255.255", false),
        ("168.63.129.15", true),
        ("168.63.129.16", false),
    ] {
        assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
        for form in [format!("::ffff:{ip}"), format!("64:ff9b::{ip}")] {
            assert_eq!(is_public(form.parse().unwrap()), public, "{form}");
        }
        // Obsolete forms are refused even around a public address.
        assert!(!is_public(format!("::{ip}").parse().unwrap()), "::{ip}");
    }
}

#[test]
fn ipv6_ranges_to_their_edges() {
    for (ip, public) in [
        ("::", false),
        ("::1", false),
        ("::2", false),
        ("::ffff:0:7f00:1", false),
        ("64:ff9b:1::1", false),
        ("64:ff9b::1:0:0", false),
        ("100::1", false),
        ("1fff:ffff::1", false),
        ("2000::1", true),
        ("2001::1", false),
        ("2001:1::1", false),
        ("2001:2::1", false),
        ("2001:10::1", false),
        ("2001:1ff:ffff::1", false),
        ("2001:200::1", true),
        ("2001:4860:4860::8888", true),
        ("2001:db7::1", true),
        ("2001:db8::1", false),
        ("2001:db9::1", true),
        ("2002::1", false),
        ("2002:808:808::1", false),
        ("2003::1", true),
        ("2606:4700:4700::1111", true),
        ("2620:4f:8000::1", false),
        ("2a00:1450::1", true),
        ("3ffe::1", true),
        ("3fff::1", false),
        ("3fff:fff::1", false),
        ("3fff:1000::1", true),
        ("4000::1", false),
        ("5f00::1", false),
        ("fbff::1", false),
        ("fc00::1", false),
        ("fd12:3456::1", false),
        ("fe80::1", false),
        ("febf::1", false),
        ("fec0::1", false),
        ("ff0e::1", false),
    ] {
        assert_eq!(is_public(ip.parse().unwrap()), public, "{ip}");
    }
}

#[test]
fn a_laptop_may_call_itself() {
    for text in ["http://localhost:4000/hook", "http://127.0.0.1:22/", "https://[::1]:8443/"] {
        assert!(LAPTOP.parse(text).is_ok(), "{text}");
    }
    assert_eq!(LAPTOP.parse("ftp://localhost/"), Err(Refusal::NotHttp));
    assert_eq!(LAPTOP.parse("http://localhost:0/"), Err(Refusal::Port(0)));
    assert_eq!(LAPTOP.parse("http://u@localhost/"), Err(Refusal::Credentials));
}
