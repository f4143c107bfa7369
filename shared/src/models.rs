//! The objects of the product: what they hold, what is valid, how they change.

pub mod access_link;
pub mod api_key;
pub mod appointment;
pub mod call;
pub mod company;
pub mod customer;
pub mod delivery;
pub mod department;
pub mod event_name;
pub mod feed;
pub mod hours;
pub mod mail;
pub mod mfa;
pub mod sector;
pub mod session;
pub mod tag;
pub mod user;
pub mod webhook;

pub use access_link::AccessLink;
pub use api_key::ApiKey;
pub use appointment::Appointment;
pub use call::Call;
pub use company::Company;
pub use customer::Customer;
pub use delivery::Delivery;
pub use department::{Department, Membership};
pub use feed::Feed;
pub use hours::OpeningHours;
pub use mail::Mail;
pub use mfa::Mfa;
pub use sector::Sector;
pub use session::Session;
pub use tag::Tag;
pub use user::{Role, User};
pub use webhook::Webhook;
