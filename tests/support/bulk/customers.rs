//! Many customers.

use shared::{
    Result,
    clock::{Time, days},
    ids::{CustomerId, Id},
    matching::Match,
    models::{Customer, customer::CustomerInput},
};
use uuid::Uuid;

use super::{
    SPAN, TENANT,
    template::{Template, counters},
};
use crate::{lab::Lab, world::NOW};

/// Each given name and each family name is that of a hundredth of the customers, each pair that of a ten-thousandth.
const NAMES: usize = 100;

/// Adds so many customers to the world's tenant; the lab knows only that they are counted. The domain of their addresses is
/// the same for all.
pub fn customers(lab: &mut Lab, count: usize) {
    let id = CustomerId::from(Uuid::from_u128((0x7 << 76) | (0x8 << 60) | 0xfed_cba0));
    let at = Time::from_epoch(1_111_111_111);
    let number = 87_654_321;
    let mut template = Template::of(lab, marks(id, at, ["Markus", "Markowitz"], number), write(lab, id, at, number));
    template.without("#event#");
    let mut counters = counters(lab);
    let mut copies = |n: usize| {
        let at = NOW - days(SPAN + 1) + days(SPAN) * u32::try_from(n).unwrap() / u32::try_from(count).unwrap();
        let id = CustomerId::of(at.epoch() * 1000, (n as u128).to_be_bytes()[6..].try_into().unwrap());
        let [given, family] = [("Given", n % NAMES), ("Family", n / NAMES % NAMES)].map(|(name, n)| format!("{name}{n:02}"));
        template.copy(&id.key(), &marks(id, at, [&given, &family], n), &mut counters)
    };
    lab.lay_for_good((0..count).flat_map(&mut copies));
    lab.put(counters);
}

async fn write(lab: &Lab, id: CustomerId, at: Time, number: usize) -> Result<()> {
    let input = CustomerInput {
        name: "Markus Markowitz".into(),
        email: Some(format!("m{number:08}@mail.example")),
        phone: Some(format!("+55119{number:08}")),
        ..CustomerInput::default()
    };
    let app = lab.world.app();
    let store = app.store(TENANT);
    let customer = Customer::new(id, input, at);
    let matched = Match::nobody(&store, &customer.input).await?;
    matched.introduce(store.write(), &customer, at).commit(()).await
}

/// The marks as they are spelt in items.
fn marks(id: CustomerId, at: Time, names: [&str; 2], number: usize) -> Vec<String> {
    let [given, family] = names;
    let known = [id.to_string(), id.key(), at.to_string(), at.key(), format!("{number:08}")];
    known.into_iter().chain([given, family].map(ToOwned::to_owned)).chain([given, family].map(str::to_lowercase)).collect()
}
