//! The company itself.

use shared::{
    Error, Result,
    api::{IfMatch, Merge, Shown},
    auth::{Caller, Manager},
    models::{
        Company,
        company::{CompanyInput, CompanyView},
    },
    storage::contend,
    text,
};

/// The company.
pub async fn read(caller: Caller<Manager>) -> Result<Shown<CompanyView>> {
    let company = caller.store().find::<Company>(()).await?;
    Ok(Shown(company.view(), company.version))
}

/// Changes the company. What its plan does not have cannot be switched on.
pub async fn update(caller: Caller<Manager>, matching: IfMatch, Merge(patch): Merge<CompanyInput>) -> Result<Shown<CompanyView>> {
    contend(|| async {
        let seen = caller.store().find::<Company>(()).await?;
        matching.check(&seen)?;
        let mut input = patch.onto(&seen.input)?;
        if let Some(phone) = &input.phone {
            input.phone = Some(text::phone(phone, &input.country).map_err(|message| Error::invalid("phone", message))?);
        }
        let wanted = |field, on| patch.has(field) && on;
        if !seen.plan.recording()
            && (wanted("recording_enabled", input.recording_enabled)
                || wanted("transcription_enabled", input.transcription_enabled))
        {
            return Err(Error::Forbidden("Plan limit reached: recording comes with the basic plan and up".into()));
        }
        let changed = Company { input, updated_at: caller.now(), ..seen.value.clone() };
        caller.write().update(&seen, &changed).commit(Shown(changed.view(), seen.version + 1)).await
    })
    .await
}
