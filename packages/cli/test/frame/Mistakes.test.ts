/** Mistakes on the command line: flags and commands of other shells, misspelt ones, and durations without a unit. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { inFolder } from "../support/folder.ts"
import { run } from "../support/zk.ts"

describe("a mistake on the command line", () => {
  it.live("is said in one line, with what was meant, and ends with 2", () =>
    Effect.gen(function* () {
      const mistakes: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["deleteall", "/a"], "here that is `zk rm -r`; see zk --help"],
        [["getAcl", "/a"], "here that is `zk acl`"],
        [["create", "-e", "/a"], "an ephemeral znode would end with this command: create it at the prompt"],
        [["create", "/a", "--ephemeral"], "an ephemeral znode would end with this command: create it at the prompt"],
        [["ls", "-s", "/a"], "-s is --servers"],
        [["get", "-s", "/a"], "Missing required argument: path; -s is --servers here"],
        [["set", "-v", "0", "/a", "b"], "here that is --version"],
        [["cd", "/a"], 'Unknown subcommand "cd" for "zk"; here that is for the prompt'],
        [["addWatch", "/a"], "here that is `zk watch`"],
        [["chkzk"], "here that is `zk doctor`"],
        [["create", "/a", "b", "world:anyone:cdrwa"], "an ACL is given by --acl"],
        [["create", "-s", "-e", "/a-"], "-s is --servers here; create has --sequential"],
        [["get", "-w", "/a"], "zk watch prints the events of a znode"],
        [["acl", "get", "/a"], "`zk acl PATH` prints the ACL"],
        [["quota", "set", "-n", "3", "/a"], "here that is --count"],
        [["quota", "rm", "-B", "/a"], "here that is --hard-bytes"],
        [["reconfig", "-remove", "3"], "here that is --remove"],
        [["watch", "start", "/a"], "here that is `zk watch -R PATH`"],
        [["find", "/", "a"], "a name is given by --name"],
        [["ls", "/", "|", "wc"], "the prompt has no pipes"],
        [
          ["-server", "h:1", "ls", "/"],
          "Unrecognized flag: -server in command zk; here that is --servers (-s); see zk --help"
        ],
        [["ls", "/", "-server=h"], "Unrecognized flag: -server in command zk ls; here that is --servers (-s)"],
        [["ls", "/", "--server", "h"], "here that is --servers (-s); see zk --help"],
        [["-timeout", "3000", "ls", "/"], "here --timeout is the time that a command may take"],
        [["-r", "ls", "/"], "here that is --read-only; see zk --help"],
        [["create", "-c", "/a"], "here that is --container"],
        [["create", "-t", "1000", "/a"], "here that is --ttl, with a unit"],
        [["create", "-p", "/a"], "-p is --profile here; create has --parents"],
        [["set", "-version", "3", "/a", "b"], "here that is --version; see zk set --help"],
        [["get", "--jsn", "/a"], "Unrecognized flag: --jsn in command zk get; perhaps --json; see zk --help"],
        [["ls", "/", "--jason"], "perhaps --json; see zk --help"],
        [["ls", "/", "--ndjson-"], "perhaps --ndjson; see zk --help"],
        [["ls", "/", "--authfile", "f"], "perhaps --auth-file; see zk --help"],
        [["ls", "/", "--verb"], "perhaps --verbose; see zk --help"],
        [["find", "/", "--large", "1"], "perhaps --larger; see zk find --help"],
        [["ls", "/", "-r"], "-r in command zk ls; perhaps -R; see zk ls --help"],
        [["ls", "/", "-x"], "-x in command zk ls; see zk ls --help"],
        [["help", "deleteall"], "here that is `zk rm -r`; see zk --help"],
        [["lss"], 'Unknown subcommand "lss" for "zk"; perhaps ls; see zk --help'],
        [["tree", "/", "-L", "x"], 'for flag --depth: "x". Expected: a whole number; see zk tree --help'],
        [["tree", "/", "-L", "1.5"], "Expected: a whole number; see"],
        [["tree", "/", "-L", "-1"], "Expected: a whole number from 0; see"],
        [["ls", "--lang"], "--lang"],
        [["get"], "path"],
        [["ls", "/a", "/b"], "/b"],
        [["ls", "--json", "--ndjson"], "exclude each other"],
        [["get", "/a", "--as", "xml"], "xml"],
        [["ls", "--timeout", "soon"], "--timeout"],
        [["ls", "--servers", "a;b"], "comma"],
        [["ls", "--chroot", "a"], "chroot"],
        [["ls", "--profile", "none", "--profiles", "/no/such/file"], "/no/such/file"]
      ]
      for (const [args, part] of mistakes) {
        const { code, err, out } = yield* run(args)
        assert.deepStrictEqual({ code, out }, { code: 2, out: "" }, err)
        assert.include(err, part)
        assert.strictEqual(err.trimEnd().split("\n").length, 1, err)
      }
    })
  )

  it.live("is a duration without a unit, wherever it comes from", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const profiles = Path.join(yield* inFolder, "profiles.toml")
        Fs.writeFileSync(profiles, '[slow]\nservers = "127.0.0.1:1"\ntimeout = "30"\n')
        const refused = (args: ReadonlyArray<string>, env = {}) =>
          Effect.map(run([...args, "-s", "127.0.0.1:1"], { env }), ({ code, err }) => `${code} ${err}`)
        const needs = ": a duration needs a unit: "
        assert.strictEqual(
          yield* refused(["create", "/a", "--ttl", "10000"]),
          `2 zk: --ttl 10000${needs}10000ms or 10000s\n`
        )
        assert.strictEqual(yield* refused(["ls", "--timeout=0.5"]), `2 zk: --timeout 0.5${needs}0.5ms or 0.5s\n`)
        assert.strictEqual(yield* refused(["ls"], { ZK_TIMEOUT: "30" }), `2 zk: ZK_TIMEOUT 30${needs}30ms or 30s\n`)
        assert.strictEqual(
          yield* refused(["ls", "-p", "slow", "--profiles", profiles]),
          `2 zk: the profile's timeout 30${needs}30ms or 30s\n`
        )
        for (const args of [
          ["lock", "/l", "--session-timeout", "15", "--", "true"],
          ["lock", "/l", "--wait", "5", "--", "true"],
          ["once", "/o", "--period", "60", "--", "true"],
          ["status", "--within", "5"],
          ["exporter", "--interval", "10"],
          ["health", "--max-latency", "100"],
          ["bench", "--duration", "10"],
          ["env", "/e", "--settle", "1", "--", "true"]
        ]) {
          const separator = args.indexOf("--")
          const at = separator < 0 ? args.length : separator
          const { code, err } = yield* run([...args.slice(0, at), "-s", "127.0.0.1:1", ...args.slice(at)])
          assert.strictEqual(code, 2, err)
          assert.include(err, `${args.find((arg) => arg.startsWith("--"))} `)
          assert.include(err, needs)
        }
      })
    )
  )
})
