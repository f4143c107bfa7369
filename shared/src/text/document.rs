//! Brazilian registration numbers: CPF of people, CNPJ of companies (also the alphanumeric one of July 2026).

use serde::{Deserialize, Serialize};

/// What a document is, by its form and its check digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum DocumentType {
    /// A person's.
    Cpf,
    /// A company's.
    Cnpj,
}

/// What a document is, in any writing; none unless its check digits are right.
#[must_use]
pub fn document_type(text: &str) -> Option<DocumentType> {
    let signs: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, '.' | '-' | '/' | ' '))
        .map(|c| if c.is_ascii_alphanumeric() { u32::from(c.to_ascii_uppercase()) - u32::from('0') } else { u32::MAX })
        .collect();
    if signs.iter().all(|sign| *sign == signs[0]) || signs[signs.len().saturating_sub(2)..].iter().any(|sign| *sign > 9) {
        return None;
    }
    let right = |highest: u32| {
        (1..=2).all(|last| check_digit(&signs[..signs.len() - 3 + last], highest) == signs[signs.len() - 3 + last])
    };
    match signs.len() {
        11 if signs.iter().all(|sign| *sign <= 9) && right(11) => Some(DocumentType::Cpf),
        // A letter is worth its ASCII code less 48.
        14 if signs.iter().all(|sign| *sign <= 9 || (17..=42).contains(sign)) && right(9) => Some(DocumentType::Cnpj),
        _ => None,
    }
}

/// Modulo 11 with weights from the right that begin with 2 and begin anew past the highest.
fn check_digit(signs: &[u32], highest: u32) -> u32 {
    let sum: u32 = signs.iter().rev().zip((2..=highest).cycle()).map(|(sign, weight)| sign * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_tell() {
        for (text, kind) in [
            ("529.982.247-25", Some(DocumentType::Cpf)),
            ("52998224725", Some(DocumentType::Cpf)),
            ("529.982.247-26", None),
            ("111.111.111-11", None),
            ("11.222.333/0001-81", Some(DocumentType::Cnpj)),
            ("11.222.333/0001-80", None),
            // The example of the Receita Federal.
            ("12.ABC.345/01DE-35", Some(DocumentType::Cnpj)),
            ("12abc34501de35", Some(DocumentType::Cnpj)),
            ("12.ABC.345/01DE-3A", None),
            ("12.ÁBC.345/01DE-35", None),
            ("", None),
            ("7", None),
            ("passport X1234567", None),
        ] {
            assert_eq!(document_type(text), kind, "{text:?}");
        }
    }
}
