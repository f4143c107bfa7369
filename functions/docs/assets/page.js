"use strict";

// Tokens stay in this page's memory: closing or reloading it forgets them.
let session = null;

const part = (id) => document.getElementById(id);

const ui = SwaggerUIBundle({
  url: "api/openapi.json",
  domNode: part("operations"),
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
});

async function post(path, body, headers = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) {
    const { detail, ...fields } = answer.errors;
    throw new Error(detail ?? Object.entries(fields).map(([field, reasons]) => `${field} ${reasons.join(", ")}`).join("; "));
  }
  return answer;
}

// Calls with these tokens from now on, and renews them a minute before they lapse.
function begin(tenant, answer) {
  const renew = setTimeout(async () => {
    try {
      begin(tenant, await post("api/auth/refresh", { refresh_token: answer.refresh_token }));
    } catch {
      end("The session has ended. Log in again.");
    }
  }, (answer.expires_in - 60) * 1000);
  session = { token: answer.access_token, renew };
  ui.preauthorizeApiKey("bearer", answer.access_token);
  part("who").textContent = `${answer.user.name}, ${answer.user.role} of ${tenant}`;
  show();
}

function end(said = "") {
  clearTimeout(session?.renew);
  session = null;
  ui.authActions.logout(["bearer"]);
  show(said);
}

function show(said = "") {
  part("login").hidden = session !== null;
  part("session").hidden = session === null;
  part("said").textContent = said;
}

part("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const { tenant, email, password } = Object.fromEntries(new FormData(form));
  show();
  try {
    begin(tenant, await post("api/auth/login", { tenant, email, password }));
    form.elements.password.value = "";
    part("logout").focus();
  } catch (error) {
    show(error.message);
    form.elements.password.select();
  }
});

part("logout").addEventListener("click", async () => {
  const { token } = session;
  end();
  part("login").elements.tenant.focus();
  try {
    await post("api/auth/logout", {}, { Authorization: `Bearer ${token}` });
  } catch (error) {
    show(error.message);
  }
});
