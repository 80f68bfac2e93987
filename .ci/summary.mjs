// The last line of .ci/run, from the JSON report of vitest, the number of failed steps and the tests' exit status.
import { existsSync, readFileSync } from "node:fs";

const [report, failedSteps, testStatus] = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };
if (existsSync(report)) {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // A file that cannot be loaded has no tests that could fail: it counts as one.
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
  );
  for (const { name, message } of brokenFiles) console.log(`failed as a whole: ${name}: ${message}`);
  counts.passed = numPassedTests;
  counts.failed = numFailedTests + brokenFiles.length;
}
// Tests that end badly without a failed one: a crash, a time-out, an error outside of any test.
if (Number(testStatus) !== 0 && counts.failed === 0) {
  console.log(`the tests ended with status ${testStatus}`);
  counts.failed = 1;
}
counts.failed += Number(failedSteps);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
