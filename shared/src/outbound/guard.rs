//! Which foreign addresses may be called: the rules for a URL, a host name and an IP address.
//!
//! The same rules are applied twice: to the URL when it is saved, and to every address the name
//! resolves to when a connection is made (OWASP SSRF prevention: a check of the name alone loses
//! to DNS rebinding). Nothing here resolves or connects.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The longest URL accepted, in characters as written.
pub const MAX_URL_CHARS: usize = 2_048;

/// What a deployment lets its outbound calls reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `false` (cloud): https and public addresses only. `true` (laptop): also http, any address.
    pub allow_private: bool,
}

/// Why a URL may not be called; the text continues a sentence that begins with "the URL".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not parse, or it has control characters in it.
    #[error("is not a valid URL")]
    Malformed,
    /// It is longer than [`MAX_URL_CHARS`].
    #[error("should be at most 2048 character(s)")]
    TooLong,
    /// The scheme is not https, and only https is allowed.
    #[error("must use https")]
    NotHttps,
    /// The scheme is neither http nor https.
    #[error("must use http or https")]
    NotHttp,
    /// It has a user name or a password in it.
    #[error("must not contain a user name or a password")]
    Credentials,
    /// It names no host.
    #[error("must have a host")]
    NoHost,
    /// The port belongs to another protocol.
    #[error("must not use port {0}")]
    Port(u16),
    /// The host is, or resolves to, an address that is not on the public internet.
    #[error("must not point to a private or reserved address")]
    Reserved,
}

impl Policy {
    /// Parses a URL as a client wrote it and checks all that can be known without resolving it.
    ///
    /// # Errors
    /// The first rule that the URL breaks.
    pub fn parse(self, text: &str) -> Result<Url, Refusal> {
        let text = text.trim();
        if text.chars().nth(MAX_URL_CHARS).is_some() {
            return Err(Refusal::TooLong);
        }
        // The WHATWG parser silently drops tabs and line breaks.
        if text.chars().any(char::is_control) {
            return Err(Refusal::Malformed);
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::EmptyHost => Refusal::NoHost,
            _ => Refusal::Malformed,
        })?;
        self.check(&url)?;
        Ok(url)
    }

    /// Checks a parsed URL.
    ///
    /// # Errors
    /// The first rule that the URL breaks.
    pub fn check(self, url: &Url) -> Result<(), Refusal> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ if self.allow_private => return Err(Refusal::NotHttp),
            _ => return Err(Refusal::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let reachable = match url.host().ok_or(Refusal::NoHost)? {
            Host::Domain(name) => self.allow_private || is_public_name(name),
            Host::Ipv4(ip) => self.admits(ip.into()),
            Host::Ipv6(ip) => self.admits(ip.into()),
        };
        if !reachable {
            return Err(Refusal::Reserved);
        }
        if let Some(port) = url.port()
            && (port == 0 || (!self.allow_private && BAD_PORTS.contains(&port)))
        {
            return Err(Refusal::Port(port));
        }
        // What is saved must also be what can be sent.
        Uri::try_from(url.as_str()).map_err(|_| Refusal::Malformed)?;
        Ok(())
    }

    /// Whether a connection to this very address is allowed.
    #[must_use]
    pub fn admits(self, ip: IpAddr) -> bool {
        self.allow_private || is_public(ip)
    }
}

/// Whether a host name may be looked up: a full name outside the trees that are local by definition.
///
/// RFC 6761 (`localhost`), RFC 6762 (`local`), RFC 8375 (`home.arpa`), ICANN's reservation of
/// `internal` (also the clouds' metadata names); a name of one label is for a search domain.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let Some((parent, last)) = name.rsplit_once('.') else {
        return false;
    };
    let last = last.to_ascii_lowercase();
    let home = last == "arpa" && parent.rsplit('.').next().is_some_and(|l| l.eq_ignore_ascii_case("home"));
    !home && !matches!(last.as_str(), "localhost" | "local" | "internal")
}

/// Whether an address is on the public internet, whatever IPv6 form it is written in.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !RESERVED_V4.iter().any(|net| net.contains(&ip))
}

/// Only global unicast, `2000::/3`, is handed out (RFC 4291 §2.4); the rest is refused unseen.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    GLOBAL_V6.contains(&ip) && !RESERVED_V6.iter().any(|net| net.contains(&ip))
}

/// The IPv4 address that a packet to this IPv6 address would reach.
///
/// Mapped (RFC 4291 §2.5.5.2) is IPv4 itself, and NAT64's well-known prefix (RFC 6052) is what
/// DNS64 makes of any IPv4-only receiver: both are judged by what is inside. 6to4, Teredo and the
/// IPv4-compatible form are obsolete and refused as they are, in the tables below.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    if NAT64.contains(&ip) {
        let [.., a, b, c, d] = ip.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    ip.to_ipv4_mapped()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IANA's IPv4 special-purpose registry (RFC 6890), multicast, class E and one cloud's own.
const RESERVED_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),        // this network, RFC 791
    v4(10, 0, 0, 0, 8),       // private, RFC 1918
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT, RFC 6598; Alibaba's metadata
    v4(127, 0, 0, 0, 8),      // loopback, RFC 1122
    v4(168, 63, 129, 16, 32), // Azure's host service, on a public address
    v4(169, 254, 0, 0, 16),   // link-local, RFC 3927; the clouds' metadata
    v4(172, 16, 0, 0, 12),    // private, RFC 1918
    v4(192, 0, 0, 0, 24),     // IETF protocol assignments, RFC 6890; Oracle's metadata
    v4(192, 0, 2, 0, 24),     // documentation, RFC 5737
    v4(192, 31, 196, 0, 24),  // AS112, RFC 7535
    v4(192, 52, 193, 0, 24),  // multicast tunnelling, RFC 7450
    v4(192, 88, 99, 0, 24),   // 6to4 relays, RFC 7526
    v4(192, 168, 0, 0, 16),   // private, RFC 1918
    v4(198, 18, 0, 0, 15),    // benchmarking, RFC 2544
    v4(198, 51, 100, 0, 24),  // documentation, RFC 5737
    v4(203, 0, 113, 0, 24),   // documentation, RFC 5737
    v4(224, 0, 0, 0, 3),      // multicast, RFC 5771; class E and broadcast, RFC 1112
];

const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What is not public inside `2000::/3` (IANA's IPv6 special-purpose registry).
const RESERVED_V6: [Ipv6Net; 5] = [
    v6(0x2001, 0, 0, 23),           // protocol assignments, RFC 2928: Teredo, ORCHID, benchmarking
    v6(0x2001, 0x0db8, 0, 32),      // documentation, RFC 3849
    v6(0x2002, 0, 0, 16),           // 6to4, RFC 3056, obsolete by RFC 7526
    v6(0x2620, 0x004f, 0x8000, 48), // AS112, RFC 7534
    v6(0x3fff, 0, 0, 20),           // documentation, RFC 9637
];

const NAT64: Ipv6Net = v6(0x0064, 0xff9b, 0, 96);

/// The ports that a browser refuses to fetch from (WHATWG Fetch, "port blocking").
const BAD_PORTS: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111,
    113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554,
    556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666,
    6667, 6668, 6669, 6679, 6697, 10080,
];
