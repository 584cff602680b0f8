beforeEach(() => {
  cy.task("reset");
  cy.visit("/");
  cy.get("input[name=to]").type("+34612345678");
  cy.contains("button", "Send me a code").click();
});

it("signs in with the code that was sent", () => {
  cy.task("codeFor", "+34612345678").then((code) => cy.get("input[name=code]").type(code));
  cy.contains("button", "Sign in").click();
  cy.get("h1").should("have.text", "Welcome, +34612345678");
});

it("has a code be good for ten minutes", () => {
  cy.task("codeFor", "+34612345678").then((code) => cy.get("input[name=code]").type(code));
  cy.task("advance", "10m");
  cy.contains("button", "Sign in").click();
  cy.get("[role=alert]").should("have.text", "The code has expired.");
});
