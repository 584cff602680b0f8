// Lints the OpenAPI document that it is given on its standard input, by Redocly's recommended rules,
// and says what it finds.
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended'],
  // The server of the document is the one that it is from, whose name nobody knows before.
  rules: { 'no-server-example.com': 'off' },
});
const problems = await lintFromString({ source: readFileSync(0, 'utf8'), config });
for (const p of problems) {
  console.log(`${p.severity} ${p.ruleId} ${p.location[0]?.pointer}: ${p.message}`);
}
process.exitCode = problems.length === 0 ? 0 : 1;
