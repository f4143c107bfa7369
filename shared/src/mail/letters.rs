//! What mails say, in the reader's language.

use chrono_tz::Tz;

use crate::{
    clock::Time,
    mailer::Text,
    models::{mail::Letter, user::UserInput},
};

/// Whom a letter is for.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The name.
    pub name: &'a str,
    /// The e-mail.
    pub email: &'a str,
    /// The language, one of [`LOCALES`](crate::models::user::LOCALES).
    pub locale: &'a str,
}

impl<'a> From<&'a UserInput> for Reader<'a> {
    fn from(user: &'a UserInput) -> Self {
        Self { name: &user.name, email: &user.email, locale: &user.locale }
    }
}

/// A moment as it is told in a language, by the clock of a zone, which is named.
pub fn moment(at: Time, zone: Tz, locale: &str) -> String {
    let form = if locale == "en" { "%-d %B %Y, %H:%M" } else { "%d/%m/%Y às %H:%M" };
    format!("{} ({})", at.utc().with_timezone(&zone).format(form), zone.name())
}

/// A letter from a company to somebody; `facts` are what it tells: a link, a URL and a reason, or an appointment's title, time,
/// agent and department.
pub fn written(letter: &Letter, company: &str, reader: Reader<'_>, facts: &[&str]) -> Text {
    let english = reader.locale == "en";
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|n| facts.get(n).copied().unwrap_or_default());
    let (subject, lines, link) = match (letter, english) {
        (Letter::Invitation { .. }, true) => (
            format!("Your account at {company}"),
            vec![
                format!("{company} has made an account for you ({}).", reader.email),
                "Choose your password here, within seven days:".into(),
            ],
            Some(first),
        ),
        (Letter::Invitation { .. }, false) => (
            format!("Sua conta em {company}"),
            vec![
                format!("{company} criou uma conta para você ({}).", reader.email),
                "Escolha sua senha aqui, em até sete dias:".into(),
            ],
            Some(first),
        ),
        (Letter::PasswordReset { .. }, true) => (
            "Choose another password".into(),
            vec![
                format!("Somebody asked for another password for your account at {company}."),
                "If it was you, choose it here within an hour. If not, there is nothing to do.".into(),
            ],
            Some(first),
        ),
        (Letter::PasswordReset { .. }, false) => (
            "Escolha outra senha".into(),
            vec![
                format!("Alguém pediu outra senha para a sua conta em {company}."),
                "Se foi você, escolha-a aqui em até uma hora. Se não foi, não é preciso fazer nada.".into(),
            ],
            Some(first),
        ),
        (Letter::Reminder { .. }, true) => (
            format!("Your appointment with {company}: {second}"),
            vec![
                format!("This is a reminder of your appointment with {company}: {first}."),
                format!("When: {second}"),
                format!("With: {third}, {fourth}"),
            ],
            None,
        ),
        (Letter::Reminder { .. }, false) => (
            format!("Seu compromisso com {company}: {second}"),
            vec![
                format!("Este é um lembrete do seu compromisso com {company}: {first}."),
                format!("Quando: {second}"),
                format!("Com: {third}, {fourth}"),
            ],
            None,
        ),
        (Letter::WebhookDisabled { .. }, true) => (
            "A webhook was disabled".into(),
            vec![
                format!("The webhook of {company} to {first} was disabled: {second}."),
                "What was held for it is kept for 30 days. Make it active again once its receiver answers.".into(),
            ],
            None,
        ),
        (Letter::WebhookDisabled { .. }, false) => (
            "Um webhook foi desativado".into(),
            vec![
                format!("O webhook de {company} para {first} foi desativado: {second}."),
                "O que estava pendente fica guardado por 30 dias. Reative-o quando o destino voltar a responder.".into(),
            ],
            None,
        ),
    };
    let greeting = format!("{} {},", if english { "Hello" } else { "Olá," }, reader.name);
    let all = std::iter::once(greeting.as_str()).chain(lines.iter().map(String::as_str));
    let plain = all.clone().chain(link).collect::<Vec<_>>().join("\n\n") + "\n";
    let paragraphs: Vec<_> = all.map(|line| format!("<p>{}</p>\n", escaped(line))).collect();
    let paragraphs = paragraphs.concat();
    let link = link.map(|link| format!("<p><a href=\"{0}\">{0}</a></p>\n", escaped(link))).unwrap_or_default();
    let language = if english { "en" } else { "pt-BR" };
    let html = format!("<!doctype html>\n<html lang=\"{language}\"><body>\n{paragraphs}{link}</body></html>\n");
    Text { subject: subject.chars().filter(|c| !c.is_control()).collect(), plain, html }
}

/// Text within HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::UserId, models::user::sample};

    #[test]
    fn a_letter_is_in_the_readers_language_and_escaped_in_html() {
        let mut reader = sample().input;
        reader.name = "Ana <b>".into();
        let letter = Letter::Invitation { user_id: UserId::default() };
        let text = written(&letter, "A & B", (&reader).into(), &["https://x.test/i?token=t"]);
        assert_eq!(text.subject, "Sua conta em A & B");
        assert!(text.plain.starts_with("Olá, Ana <b>,\n\n") && text.plain.ends_with("\n\nhttps://x.test/i?token=t\n"));
        assert!(text.html.contains("Ana &lt;b&gt;") && text.html.contains("A &amp; B") && text.html.contains("lang=\"pt-BR\""));
        reader.locale = "en".into();
        let text = written(&letter, "A & B", (&reader).into(), &["https://x.test/i?token=t"]);
        assert!(text.subject == "Your account at A & B" && text.plain.starts_with("Hello Ana <b>,"), "{text:?}");
    }

    #[test]
    fn a_moment_is_told_by_the_clock_on_the_wall() {
        let at = "2026-07-01T23:30:00Z".parse().unwrap();
        assert_eq!(moment(at, Tz::Europe__Lisbon, "en"), "2 July 2026, 00:30 (Europe/Lisbon)");
        assert_eq!(moment(at, Tz::America__Sao_Paulo, "pt-BR"), "01/07/2026 às 20:30 (America/Sao_Paulo)");
    }
}
