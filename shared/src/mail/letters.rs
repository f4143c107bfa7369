//! What mails say, in the reader's language.

use crate::{
    mailer::Text,
    models::{mail::Letter, user::UserInput},
};

/// A letter from a company to somebody; `facts` are what it tells: a link, or a URL and a reason.
pub fn written(letter: &Letter, company: &str, reader: &UserInput, facts: &[&str]) -> Text {
    let english = reader.locale == "en";
    let (first, second) = (facts.first().copied().unwrap_or_default(), facts.get(1).copied().unwrap_or_default());
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
        let text = written(&letter, "A & B", &reader, &["https://x.test/i?token=t"]);
        assert_eq!(text.subject, "Sua conta em A & B");
        assert!(text.plain.starts_with("Olá, Ana <b>,\n\n") && text.plain.ends_with("\n\nhttps://x.test/i?token=t\n"));
        assert!(text.html.contains("Ana &lt;b&gt;") && text.html.contains("A &amp; B") && text.html.contains("lang=\"pt-BR\""));
        reader.locale = "en".into();
        let text = written(&letter, "A & B", &reader, &["https://x.test/i?token=t"]);
        assert!(text.subject == "Your account at A & B" && text.plain.starts_with("Hello Ana <b>,"), "{text:?}");
    }
}
