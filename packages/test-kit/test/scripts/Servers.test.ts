/** What `test:servers` is made of, without the network and without a server. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { stripManifest } from "../../../../scripts/servers/stripManifest.ts"
import { formatRow, isGreen, reasonOf, type Row, writeRows } from "../../../../scripts/servers/table.ts"
import * as Release from "../../src/Release.ts"

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

  it("keeps the rows of releases that did not run", () => {
    const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "table-"))
    const page = Path.join(folder, "page.md")
    Fs.writeFileSync(page, "before\n<!-- servers: written by test:servers -->\n\n<!-- /servers -->\nafter\n")
    const order = ["3.4.13", "3.9.6"]
    writeRows(page, [row("3.9.6")], order)
    writeRows(page, [row("3.4.13")], order)
    const text = Fs.readFileSync(page, "utf8")
    Fs.rmSync(folder, { recursive: true })
    assert.match(text, /^before\n[^]*\| 3\.4\.13 [^]*\| 3\.9\.6 [^]*\nafter\n$/)
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
