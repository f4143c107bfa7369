//! Signing a company up.

use axum::{Extension, extract::State, http::HeaderMap};
use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use sha2::Sha256;
use shared::{
    Error, Result,
    api::{
        Valid,
        document::{Described, Draft},
    },
    app::{App, settings::Signup},
    auth::context::Context,
    input::{Fields, Input, rules},
    models::{Company, Role, User, user::UserInput},
    storage::contend,
    text,
};

use crate::session::{self, Opened, SignedIn};

/// A company and its first manager.
#[derive(Debug, JsonSchema)]
pub struct Register {
    /// The company.
    company: NewCompany,
    /// Its first manager.
    user: FirstUser,
}

#[derive(Debug, JsonSchema)]
struct NewCompany {
    /// The name.
    #[schemars(length(max = 200))]
    name: String,
    /// What the tenant is called in logins and URLs: unique, never changes.
    #[schemars(length(min = 3, max = 40), regex(pattern = text::SLUG))]
    slug: String,
}

#[derive(Debug, JsonSchema)]
struct FirstUser {
    /// The user, a manager whatever is said here.
    #[schemars(flatten)]
    user: UserInput,
    /// The password: not the e-mail, not a common one.
    #[schemars(length(min = 10, max = 128))]
    password: String,
}

impl Input for Register {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            company: fields.nested("company", |fields| NewCompany {
                name: fields.required("name", rules::name),
                slug: fields.required("slug", rules::slug(3)),
            }),
            user: fields.nested("user", |fields| {
                let user = UserInput::read(fields);
                let password = fields.required("password", rules::password(&user.email));
                FirstUser { user, password }
            }),
        }
    }
}

/// Makes a tenant and its first manager, both or neither, and logs that manager in.
pub async fn register(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    _: Permitted,
    Valid(input): Valid<Register>,
) -> Result<Opened<201>> {
    let tenant = input.company.slug.as_str();
    let store = app.store(tenant).gated(context.gate());
    context.admitted().await?;
    let keys = app.keys().signing().await?;
    let hash = app.passwords().hash(&input.user.password).await?;
    let manager = UserInput { role: Role::Manager, active: true, ..input.user.user };
    contend(|| async {
        let now = app.clock().now();
        let plan = app.settings().default_plan;
        let company = Company::new(store.mint()?, input.company.name.clone(), tenant.to_owned(), plan, now);
        let user = User::new(store.mint()?, manager.clone(), Some(hash.clone()), now);
        let session = session::begin(&store, app.chance(), &user, context.client())?;
        let answer = Opened::new(SignedIn::new(&app, &keys, &company, &user, &session)?);
        let written = company.founded(store.write(), &user).create(&session).commit(answer).await;
        match written {
            Err(Error::Conflict) if store.get::<Company>(()).await?.is_some() => {
                Err(Error::invalid("company.slug", "has already been taken"))
            }
            written => written,
        }
    })
    .await
}

/// Signing up is allowed to whoever asks.
#[derive(Debug)]
pub struct Permitted;

impl axum::extract::FromRequestParts<App> for Permitted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<Self> {
        match &app.settings().signup {
            signup if permitted(signup, &parts.headers) => Ok(Self),
            Signup::Token(_) => Err(Error::Forbidden("Sign-up needs a valid X-Signup-Token".into())),
            _ => Err(Error::Forbidden("Sign-up is closed".into())),
        }
    }
}

impl Described for Permitted {
    fn describe(draft: &mut Draft<'_>) {
        draft.header("X-Signup-Token", "The operator's token, where sign-up needs one.");
        draft.refuses(&[403]);
    }
}

fn permitted(signup: &Signup, headers: &HeaderMap) -> bool {
    match signup {
        Signup::Open => true,
        Signup::Closed => false,
        Signup::Token(secret) => headers.get("x-signup-token").is_some_and(|given| same(secret.as_bytes(), given.as_bytes())),
    }
}

/// Compares in constant time, by the digests under one key.
fn same(one: &[u8], other: &[u8]) -> bool {
    let mac = |text: &[u8]| Hmac::<Sha256>::new_from_slice(one).map(|mac| mac.chain_update(text));
    match (mac(one), mac(other)) {
        (Ok(one), Ok(other)) => one.verify(&other.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}
