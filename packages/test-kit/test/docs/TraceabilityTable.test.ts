import { assertEach } from "../../src/Expectations.ts"
import { assert } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import * as TemporaryFolder from "../../src/TemporaryFolder.ts"
import { itLive } from "../../src/TestWith.ts"
import * as TraceabilityTable from "../../src/TraceabilityTable.ts"

itLive("a table is told of rows without a test, and of tests that are not there", function* () {
  const folder = yield* TemporaryFolder.make("test-table-")
  const row = (number: string, ...tests: ReadonlyArray<string>) => `| ${number} | what | ${tests.join("; ")} |\n`
  Fs.writeFileSync(
    Path.join(folder, "README.md"),
    row("S01", '[X](x.test.ts) "is (there)"', '[X](x.test.ts) "is not"') +
      row("S02") +
      row("S03", '[X](x.test.ts) "only a comment"', '[Y](y.test.ts) "is (there)"')
  )
  Fs.writeFileSync(
    Path.join(folder, "x.test.ts"),
    `// "only a comment"\n * "only a comment"\nit("this is (there), yes", () => {})`
  )
  const table = pathToFileURL(Path.join(folder, "README.md"))
  assertEach(TraceabilityTable.rows(table), ({ row }) => row, TraceabilityTable.rowIds("S", 3))
  assert.deepStrictEqual(TraceabilityTable.problems(table), [
    'S01: x.test.ts has no title with "is not"',
    "S02 has no test",
    'S03: x.test.ts has no title with "only a comment"',
    'S03: y.test.ts has no title with "is (there)"'
  ])
})
