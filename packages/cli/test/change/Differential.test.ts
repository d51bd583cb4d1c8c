/** The same work by ZooKeeper's own shell and by `zk` leaves the same tree. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import { connect } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as TreeWalk from "../../src/TreeWalk.ts"
import { run } from "../support/zk.ts"

/** A line for zkCli.sh, and the arguments of `zk` that do the same. */
const steps: ReadonlyArray<readonly [shell: string, args: ReadonlyArray<string>]> = [
  ["create /app one", ["create", "/app", "one"]],
  ["create /app/empty", ["create", "/app/empty"]],
  ["create -s /app/job- payload", ["create", "/app/job-", "payload", "--sequential"]],
  ["create -s /app/job- payload", ["create", "/app/job-", "payload", "--sequential"]],
  ["create -c /app/container", ["create", "/app/container", "--container"]],
  ["create -t 3600000 /app/ttl data", ["create", "/app/ttl", "data", "--ttl", "1h"]],
  ["create /app/acl data world:anyone:cdrw", ["create", "/app/acl", "data", "--acl", "world:anyone:cdrw"]],
  ["create /app/acl", ["create", "/app/acl"]],
  ["create /none/child x", ["create", "/none/child", "x"]],
  ["set /app two", ["set", "/app", "two"]],
  ["set -v 1 /app three", ["set", "/app", "three", "--version", "1"]],
  ["set -v 1 /app four", ["set", "/app", "four", "--version", "1"]],
  ["set /none x", ["set", "/none", "x"]],
  ["delete /app/empty", ["rm", "/app/empty"]],
  ["delete /app", ["rm", "/app"]],
  ["delete -v 7 /app/job-0000000001", ["rm", "/app/job-0000000001", "--version", "7"]],
  ["create /old x", ["create", "/old", "x"]],
  ["create /old/child x", ["create", "/old/child", "x"]],
  ["create /old/child/below x", ["create", "/old/child/below", "x"]],
  ["deleteall /old", ["rm", "-r", "/old", "--yes"]],
  ["sync /", ["sync", "/"]],
  ["create /acls x", ["create", "/acls", "x"]],
  ["create /acls/child x", ["create", "/acls/child", "x"]],
  ["setAcl /acls world:anyone:cdrwa,ip:127.0.0.1:r", ["acl", "set", "/acls", "world:anyone:cdrwa,ip:127.0.0.1:r"]],
  ["setAcl -v 1 /acls world:anyone:cdrwa", ["acl", "set", "/acls", "world:anyone:cdrwa", "--version", "1"]],
  ["setAcl -v 7 /acls world:anyone:cdrwa", ["acl", "set", "/acls", "world:anyone:cdrwa", "--version", "7"]],
  ["setAcl /none world:anyone:cdrwa", ["acl", "set", "/none", "world:anyone:cdrwa"]],
  [
    "setAcl -R /acls world:anyone:cdrwa,ip:10.0.0.0/8:rw",
    ["acl", "set", "-R", "/acls", "world:anyone:cdrwa", "ip:10.0.0.0/8:rw", "--yes"]
  ],
  ["setAcl /acls/child world:anyone:r", ["acl", "set", "/acls/child", "world:anyone:r", "--yes"]]
]

/** The same for quotas, whose znodes are beside a chroot: paths are those on the server. */
const quotaSteps = (root: string): ReadonlyArray<readonly [shell: string, args: ReadonlyArray<string>]> => [
  [`create ${root}/app x`, ["create", `${root}/app`, "x"]],
  [`create ${root}/app/below x`, ["create", `${root}/app/below`, "x"]],
  [`create ${root}/old x`, ["create", `${root}/old`, "x"]],
  [`setquota -n 5 ${root}/app`, ["quota", "set", `${root}/app`, "--count", "5"]],
  [`setquota -b 1000 ${root}/app`, ["quota", "set", `${root}/app`, "--bytes", "1000"]],
  [`setquota -N 20 ${root}/app`, ["quota", "set", `${root}/app`, "--hard-count", "20"]],
  [`setquota -n 1 ${root}/app/below`, ["quota", "set", `${root}/app/below`, "--count", "1"]],
  [`setquota -n 1 ${root}/none`, ["quota", "set", `${root}/none`, "--count", "1"]],
  [`delquota -b ${root}/app`, ["quota", "rm", `${root}/app`, "--bytes"]],
  [`setquota -B 77 ${root}/old`, ["quota", "set", `${root}/old`, "--hard-bytes", "77"]],
  [`delquota ${root}/old`, ["quota", "rm", `${root}/old`]]
]

const runShell = (servers: string, lines: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const install = yield* ZooKeeperInstall.find
    if (install._tag !== "Java") return assert.fail("this test needs a ZooKeeper with a JVM")
    const args = ["-cp", install.classPath, "org.apache.zookeeper.ZooKeeperMain", "-server", servers]
    return yield* Effect.promise(
      () =>
        new Promise<{ readonly out: string; readonly err: string }>((resolve) => {
          const child = ChildProcess.execFile(install.java, args, (_, out, err) => resolve({ out, err }))
          child.stdin?.end(`${lines.join("\n")}\nquit\n`)
        })
    )
  })

/** A question to the shell and to `zk`, whose answers are brought into one form. */
interface Question {
  readonly shell: string
  readonly args: ReadonlyArray<string>
  readonly theirs: (text: string) => unknown
  readonly ours: (text: string) => unknown
}

const trimmed = (text: string): string => text.trim()
const numbers = (text: string): unknown =>
  Object.fromEntries([...text.matchAll(/^(\w+) = (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]))

const questions: ReadonlyArray<Question> = [
  {
    shell: "ls /app",
    args: ["ls", "/app"],
    theirs: (text) => /\[(.*)\]/.exec(text)?.[1]?.split(", "),
    ours: (text) => text.trim().split("\n")
  },
  { shell: "ls -R /app", args: ["ls", "-R", "/app"], theirs: trimmed, ours: trimmed },
  { shell: "get /app", args: ["get", "/app"], theirs: trimmed, ours: trimmed },
  {
    shell: "getAllChildrenNumber /app",
    args: ["du", "-L", "0", "/app", "--json"],
    theirs: (text) => Number(/(\d+)\s*$/.exec(text)?.[1]),
    ours: (text) => JSON.parse(text)[0].znodes - 1
  },
  {
    shell: "getAcl /acls",
    args: ["acl", "/acls"],
    theirs: (text) => [...text.matchAll(/^'(\w+),'(.*)\n: (\w+)$/gm)].map((match) => match.slice(1).join(":")),
    ours: (text) => text.trim().split("\n")
  },
  {
    shell: "stat /app",
    args: ["stat", "/app", "--json"],
    theirs: (text) => {
      const { aclVersion, cversion, dataLength, dataVersion, numChildren } = numbers(text) as Record<string, number>
      return [aclVersion, cversion, dataLength, dataVersion, numChildren]
    },
    ours: (text) => {
      const { aversion, cversion, dataLength, numChildren, version } = JSON.parse(text).stat
      return [aversion, cversion, dataLength, version, numChildren]
    }
  }
]

/** The data of a znode that is read between two questions. */
const mark = "-----"

/** Everything of a tree that does not depend on when it was made. */
const readTree = (zk: Service, root = "/") =>
  TreeWalk.walk(zk, root).pipe(
    Stream.mapEffect(({ path, stat }) =>
      Effect.map(Effect.all([zk.get(path), zk.getAcl(path)]), ([{ data }, { acl }]) => ({
        path: root === "/" ? path : path.slice(root.length),
        data: new TextDecoder().decode(data),
        acl: acl.map(Acl.format),
        versions: [stat?.version, stat?.cversion, stat?.aversion]
      }))
    ),
    Stream.runCollect
  )

const inChroot = Effect.fnUntraced(function* (root: Service, name: string) {
  const chroot = TestServer.freshPath(name)
  yield* root.create(chroot)
  return { chroot, servers: `${TestServer.connectString()}${chroot}`, zk: yield* root.withChroot(chroot) }
})

const guide = Fs.readFileSync(new URL("../../../docs/guides/command-line.md", import.meta.url), "utf8")

describe("zk, beside ZooKeeper's own shell", () => {
  it.live(
    "leaves the same tree",
    () =>
      Effect.gen(function* () {
        const root = yield* connect()
        const theirs = yield* inChroot(root, "shell")
        const ours = yield* inChroot(root, "zk")
        for (const { zk } of [theirs, ours]) yield* zk.create("/mark", { data: mark })
        const asked = questions.flatMap(({ shell }) => ["get /mark", shell])
        const { err, out } = yield* runShell(theirs.servers, [
          ...steps.map(([shell]) => shell),
          ...asked,
          "get /mark",
          "help"
        ])
        const printed = out + err
        const codes: Array<number> = []
        for (const [, args] of steps) codes.push((yield* run(args, { env: { ZK_SERVERS: ours.servers } })).code)
        const expected = yield* readTree(theirs.zk)
        assert.isAbove(expected.length, 5, printed)
        assert.deepStrictEqual(yield* readTree(ours.zk), expected)
        const answers = out.split(new RegExp(`^.*${mark}\n`, "m")).slice(1)
        for (const [index, question] of questions.entries()) {
          const found = yield* run(question.args, { env: { ZK_SERVERS: ours.servers } })
          assert.deepStrictEqual(question.ours(found.out), question.theirs(answers[index] ?? ""), question.shell)
        }
        // The guide has a row for each command of the shell.
        const commands = [...printed.matchAll(/^\t(\w+)\b/gm)]
          .map(([, name = ""]) => name)
          // A line of a stack.
          .filter((name) => name !== "at")
        assert.isAbove(commands.length, 15, printed)
        const left = guide.split("\n").map((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? "")
        for (const name of commands) {
          assert.isTrue(
            left.some((cell) => new RegExp(`\`${name}\\b`).test(cell)),
            `the guide has no row for ${name}`
          )
        }
        // Where the shell reports a failure, the exit code does too.
        assert.deepStrictEqual(
          codes,
          [0, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 4, 3, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0]
        )
      }).pipe(Effect.scoped, Effect.provide(Targets.real)),
    90_000
  )

  it.live(
    "leaves the same quotas",
    () =>
      Effect.gen(function* () {
        const root = yield* connect()
        const theirs = yield* inChroot(root, "shell")
        const ours = yield* inChroot(root, "zk")
        const servers = TestServer.connectString()
        const { err, out } = yield* runShell(
          servers,
          quotaSteps(theirs.chroot).map(([shell]) => shell)
        )
        const printed = out + err
        const codes: Array<number> = []
        for (const [, args] of quotaSteps(ours.chroot)) {
          codes.push((yield* run(args, { env: { ZK_SERVERS: servers } })).code)
        }
        const expected = yield* readTree(root, `/zookeeper/quota${theirs.chroot}`)
        assert.isAbove(expected.length, 2, printed)
        assert.deepStrictEqual(yield* readTree(root, `/zookeeper/quota${ours.chroot}`), expected)
        assert.deepStrictEqual(codes, [0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0])
      }).pipe(Effect.scoped, Effect.provide(Targets.real)),
    90_000
  )
})
