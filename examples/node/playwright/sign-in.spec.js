import { expect, test } from "./fixtures.js";

test.beforeEach(async ({ verifyd, page }) => {
  await verifyd.reset();
  await page.goto("/");
  await page.getByLabel("Phone number").fill("+34612345678");
  await page.getByRole("button", { name: "Send me a code" }).click();
});

test("the code that was sent signs in", async ({ verifyd, page }) => {
  await page.getByLabel("Code").fill(await verifyd.code("+34612345678"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading")).toHaveText("Welcome, +34612345678");
});

test("a code is good for ten minutes", async ({ verifyd, page }) => {
  await page.getByLabel("Code").fill(await verifyd.code("+34612345678"));
  await verifyd.advance("10m");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("The code has expired.");
});
