/** What `test:servers` and `foreign` are made of, without the network and without a server. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { type Compared, differences, formatCompared, writeCompared } from "../../../../scripts/foreign/results.ts"
import { releases } from "../../../../scripts/servers/releases.ts"
import { stripManifest } from "../../../../scripts/servers/stripManifest.ts"
import { suites } from "../../../../scripts/servers/suites.ts"
import { formatRow, isGreen, reasonOf, type Row, writeRows } from "../../../../scripts/servers/table.ts"
import * as Release from "../../src/Release.ts"
import * as TemporaryFolder from "../../src/TemporaryFolder.ts"
import { itEffect } from "../../src/TestWith.ts"

const root = fileURLToPath(new URL("../../../..", import.meta.url))
const read = (file: string) => Fs.readFileSync(Path.join(root, file), "utf8")

const result = { passed: 3, failures: [], refused: 1, gaps: new Map([["needs ZooKeeper 3.5.0", 2]]) }

const row = (version: string): Row => ({
  version,
  server: { reported: version },
  results: new Map([["conformance", result]])
})

describe("the table of servers", () => {
  it("has what was passed, refused and left out, with the reason", () => {
    assert.strictEqual(formatRow(row("3.4.13")), "| 3.4.13 | conformance 3 | 3 | 1 | 2 tests: needs ZooKeeper 3.5.0 |")
  })

  it("has a failed row, with its reason, for a release that could not be had", () => {
    const missing: Row = { version: "3.9.6", server: { missing: "no network" }, results: new Map() }
    assert.include(formatRow(missing), "could not be had: no network")
    assert.isFalse(isGreen(missing))
    assert.isTrue(isGreen(row("3.9.6")))
    const failed = new Map([["client", { ...result, failures: ["one"] }]])
    assert.isFalse(isGreen({ ...row("3.9.6"), results: failed }))
    assert.include(formatRow({ ...row("3.9.6"), results: failed }), "**1 failed**")
  })

  it("takes the reason of a failure from apt's errors, where there are some", () => {
    assert.strictEqual(reasonOf("Ign:1 a mirror\nE: Failed to fetch a list\nE: Some failed"), "Failed to fetch a list")
    assert.strictEqual(reasonOf("there is no mirror\n→ add one"), "there is no mirror")
  })

  itEffect("keeps the rows of releases that did not run", function* () {
    const folder = yield* TemporaryFolder.make("table-")
    const page = Path.join(folder, "page.md")
    Fs.writeFileSync(page, "before\n<!-- servers: written by test:servers -->\n\n<!-- /servers -->\nafter\n")
    const order = ["3.4.13", "3.9.6"]
    writeRows(page, [row("3.9.6")], order)
    writeRows(page, [row("3.4.13")], order)
    const text = Fs.readFileSync(page, "utf8")
    assert.match(text, /^before\n[^]*\| 3\.4\.13 [^]*\| 3\.9\.6 [^]*\nafter\n$/)
  })
})

describe("the suites", () => {
  it("are of files that are there: vitest passes over one that is not", () => {
    for (const { files, name } of suites) {
      for (const file of files) {
        const [folder, start] = [Path.dirname(file), Path.basename(file)]
        const found = Fs.readdirSync(Path.join(root, folder)).filter((entry) => entry.startsWith(start))
        assert.isNotEmpty(found, `${name}: ${file}`)
      }
    }
  })

  it("have each test of the client, the session and the recipes that shares the real server", () => {
    const mentions = suites.flatMap(({ files }) => files)
    const left = ["client", "session", "recipes"].flatMap((name) => {
      const folder = `packages/${name}/test`
      return Fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
        .map((file) => Path.join(folder, file))
        .filter((file) => file.endsWith(".test.ts") && read(file).includes("test-kit/TestServer"))
        .filter((file) => !mentions.some((start) => file.startsWith(start)))
    })
    assert.sameMembers(left, [
      // The memory of a process, secrets in its output, and a process that stands still: the same on every release.
      "packages/client/test/client/Client.garbage.test.ts",
      "packages/client/test/security/Secrets.test.ts",
      "packages/session/test/session/Session.standstill.test.ts"
    ])
  })

  it("run on the oldest release and on one of the newest in continuous integration", () => {
    const [, servers = "", names = ""] = /test:servers --server (\S+) --suite (\S+)/.exec(read(".ci/run")) ?? []
    const versions = servers.split(",")
    assert.strictEqual(versions[0], releases[0]?.version)
    assert.isTrue(versions.every((version) => releases.some((release) => release.version === version)))
    assert.isTrue(versions.some((version) => Release.isAtLeast(version, "3.9.3")))
    assert.deepStrictEqual(names.split(","), ["conformance", "client", "recipes"])
  })
})

describe("the table in the documentation", () => {
  const [, table = ""] = /<!-- servers: written by test:servers -->([^]*)<!-- \/servers -->/.exec(
    read("packages/docs/reference/servers.md")
  )!
  const rows = table.split("\n").filter((line) => /^\| *\d/.test(line))

  it("has a green row for each release", () => {
    assert.deepStrictEqual(
      rows.map((row) => /\d+\.\d+\.\d+/.exec(row)?.[0]),
      releases.map(({ version }) => version)
    )
    for (const row of rows) assert.notMatch(row, /failed|could not be had/)
  })

  it("names each suite in each row, or says below the rows that it was not a part of that run", () => {
    const [, said = ""] = /^These suites have not run yet: (.*)\.$/m.exec(table) ?? []
    for (const { isUpgrade, name } of suites) {
      const due = isUpgrade === true ? rows.slice(0, -1) : rows
      if (due.every((row) => row.includes(`${name} `))) continue
      assert.include(said.split(", "), name)
    }
  })
})

describe("a jar of Debian's", () => {
  it("loses the manifest that names other jars, and nothing else", () => {
    const header = (signature: number, length: number) => {
      const bytes = Buffer.alloc(length)
      bytes.writeUInt32LE(signature, 0)
      return bytes
    }
    const name = Buffer.from("META-INF/MANIFEST.MF")
    // A file, a mention of the name in its data, and the entry in the index.
    const jar = Buffer.concat([header(0x04034b50, 30), name, Buffer.from("data: "), name, header(0x02014b50, 46), name])
    const stripped = Buffer.from(stripManifest(jar)).toString("latin1")
    assert.strictEqual(stripped.length, jar.length)
    assert.strictEqual(stripped.split("META-INF/MANIFEST.XX").length - 1, 2)
    assert.include(stripped, "data: META-INF/MANIFEST.MF")
  })
})

describe("releases", () => {
  it("are compared number by number", () => {
    assert.isTrue(Release.isAtLeast("3.10.0", "3.9.6"))
    assert.isTrue(Release.isAtLeast("3.6.0", "3.6"))
    assert.isFalse(Release.isAtLeast("3.4.13", "3.5.0"))
  })

  it("are what a server says of itself", () => {
    const line = "Zookeeper version: 3.9.6-abc, built on 2026-10-16 16:58 UTC\nMode: standalone"
    assert.strictEqual(Release.reportedRelease(line), "3.9.6")
    assert.isUndefined(Release.reportedRelease("This ZooKeeper instance is not currently serving requests"))
  })
})

describe("the suite of another client", () => {
  const kazoo = (failed: ReadonlyArray<string>, failedThere: ReadonlyArray<string> = []): Compared => ({
    suite: "kazoo",
    release: "3.8.0",
    ours: { passed: 479, skipped: 4, failed },
    real: { passed: 480, skipped: 4, failed: failedThere }
  })

  it("has a reason for each test that fails on the embedded server alone, or none", () => {
    const compared = kazoo(
      ["test_sasl.py::Digest::test_one", "test_lock.py::two", "test_lock.py::three"],
      ["test_lock.py::three"]
    )
    const different = differences(compared)
    assert.deepStrictEqual(different.get("it has no SASL"), ["test_sasl.py::Digest::test_one"])
    assert.deepStrictEqual(different.get(undefined), ["test_lock.py::two"])
    assert.strictEqual(
      formatCompared(compared),
      "| kazoo | 3.8.0 | 479 of 486, 4 skipped | 480 of 485, 4 skipped | 1: it has no SASL; **1 without a reason** |"
    )
    assert.strictEqual(differences(kazoo(["a"], ["a"])).size, 0)
  })

  itEffect("has a row for each release, and keeps the rows that did not run", function* () {
    const folder = yield* TemporaryFolder.make("table-")
    const page = Path.join(folder, "page.md")
    Fs.writeFileSync(page, "before\n\n<!-- foreign: written by foreign -->\n\nNone yet.\n\n<!-- /foreign -->\nafter\n")
    const order = [
      ["kazoo", "3.8.0"],
      ["kazoo", "3.9.6"]
    ] as const
    writeCompared(page, [{ ...kazoo([]), release: "3.9.6" }], order)
    writeCompared(page, [kazoo([])], order)
    writeCompared(page, [kazoo([])], order)
    const rows = Fs.readFileSync(page, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| kazoo"))
    assert.deepStrictEqual(rows, [formatCompared(kazoo([])), formatCompared({ ...kazoo([]), release: "3.9.6" })])
  })

  it("has a place in the server's README, where no row lacks a reason", () => {
    const [, table] =
      /<!-- foreign: written by foreign -->([^]*)<!-- \/foreign -->/.exec(read("packages/server/README.md")) ?? []
    assert.isDefined(table)
    assert.notInclude(table, "without a reason")
  })
})
