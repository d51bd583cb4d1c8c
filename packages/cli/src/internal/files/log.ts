/** `zk log`: the transactions in the logs of servers. */
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import {
  type Change,
  DataDirectory,
  type FileAccessError,
  type IncompleteDirectory,
  type MalformedFile,
  type SimpleChange,
  type Transaction,
  TransactionLog
} from "@effect-zookeeper/storage"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Glob from "effect/Glob"
import * as Stream from "effect/Stream"
import * as Output from "../../Output.ts"
import * as StorageOutput from "../../StorageOutput.ts"
import { UsageError } from "../frame/errors.ts"
import { parseOwner } from "../look/find.ts"
import { printAll, printOne, Printer, type Style } from "../output/Printer.ts"
import { count, fields, shown, size } from "../output/text.ts"
import { parseMoment } from "./moment.ts"
import { between, LOGS_ELSEWHERE, partialText, readAt, readOptions, withReading } from "./reading.ts"
import { makeSessionEnds } from "./sessionEnds.ts"

export interface DumpInput {
  readonly file: string
  readonly from: string | undefined
  readonly to: string | undefined
}

export interface GrepInput extends DumpInput {
  readonly path: string
  readonly recursive: boolean
  readonly session: string | undefined
  readonly type: string | undefined
}

export interface AtInput {
  readonly file: string
  readonly logs: string | undefined
  readonly moment: string
}

/** Every transaction. */
export const dump = Effect.fnUntraced(function* (input: DumpInput) {
  yield* readingLogs(input, (transactions) => printTransactions(transactions))
})

/** The transactions that changed a znode. */
export const grep = Effect.fnUntraced(function* ({ path, recursive, session, type, ...input }: GrepInput) {
  const owner = session === undefined ? undefined : yield* parseOwner(session, "--session")
  const glob = Glob.make(path, { dot: true })
  const isMeant = (other: string) =>
    recursive ? ZnodePath.isUnder(path, other) : other === path || Glob.match(glob, other)
  const isWanted = (transaction: Transaction) =>
    (owner === undefined || transaction.session === owner) &&
    (type === undefined || typesOf(transaction.change).includes(type)) &&
    pathsOf(transaction.change).some(isMeant)
  yield* readingLogs(input, (transactions) => printTransactions(Stream.filter(transactions, isWanted)))
})

/** How many transactions there are of which kind, and of whom. */
export const stats = Effect.fnUntraced(function* (input: DumpInput) {
  const collected = new Stats()
  yield* readingLogs(input, (transactions) =>
    Stream.runForEachArray(transactions, (some) =>
      Effect.sync(() => {
        for (const transaction of some) collected.add(transaction)
      })
    )
  )
  yield* printOne(StorageOutput.LogStats, collected.result(), statsText)
})

/** The last transaction by a moment, and the tree then. */
export const at = Effect.fnUntraced(function* ({ file, logs, moment }: AtInput) {
  const directory = { directory: file, logs }
  const { digest, snapshot, transactions, tree } = yield* readAt(directory, yield* parseMoment(moment))
  const value: typeof StorageOutput.Moment.Type = {
    zxid: tree.zxid,
    znodes: tree.size,
    sessions: tree.sessions.size,
    digest: digests[digest._tag],
    transactions,
    ...(snapshot === undefined ? {} : { snapshot: snapshot.path })
  }
  yield* printOne(StorageOutput.Moment, value, (_, style) =>
    fields(
      [
        ["zxid", Output.formatHex(tree.zxid)],
        ["znodes", String(tree.size)],
        ["sessions", String(tree.sessions.size)],
        ["digest", value.digest],
        ["snapshot", snapshot === undefined ? "none" : shown(snapshot.path)],
        ["replayed", count(transactions, "transaction")]
      ],
      style
    )
  )
})

// ---- internal

const digests = { Same: "same", None: "none", Different: "different" } as const

/**
 * Reads the transactions of a log, or of all logs of a folder. An incomplete one at the end is left out, with a word about it.
 */
const readingLogs = <A, E, R>(
  { file, from, to }: DumpInput,
  run: (
    transactions: Stream.Stream<
      Transaction,
      FileAccessError | MalformedFile | IncompleteDirectory | InvalidArgument,
      FileSystem.FileSystem
    >
  ) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { note } = yield* Printer
    const isFolder = yield* fs.stat(file).pipe(
      Effect.map(({ type }) => type === "Directory"),
      Effect.orElseSucceed(() => false)
    )
    const first = yield* parseMoment(from)
    const last = yield* parseMoment(to)
    const options = yield* readOptions
    const all = isFolder
      ? DataDirectory.transactions(file, { ...options, from: first.zxid })
      : TransactionLog.read(file, options)
    const transactions = all.pipe(
      Stream.map(makeSessionEnds()),
      Stream.filter(({ time, zxid }) => zxid >= (first.zxid ?? zxid) && time >= (first.time ?? time)),
      Stream.takeWhile(({ time, zxid }) => zxid <= (last.zxid ?? zxid) && time <= (last.time ?? time)),
      Stream.catchIf(
        (error) => error._tag === "MalformedFile" && error.problem === "Partial",
        (error) => Stream.fromEffectDrain(error._tag === "MalformedFile" ? note(partialText(error)) : Effect.void)
      )
    )
    const listed = isFolder ? (yield* DataDirectory.list(file)).logs : undefined
    if (listed?.length === 0) {
      return yield* new UsageError({ message: `${shown(file)} has no transaction logs: ${LOGS_ELSEWHERE}` })
    }
    const logs = listed === undefined ? undefined : between(listed, first.zxid ?? 0n, last.zxid)
    // It is not known in which log a time is.
    const files = last.time === undefined ? (logs?.map(({ path }) => path) ?? [file]) : undefined
    return yield* withReading(files, run(transactions))
  })

const printTransactions = <E, R>(transactions: Stream.Stream<Transaction, E, R>) =>
  printAll(
    StorageOutput.Transaction,
    Stream.map(transactions, (transaction): typeof StorageOutput.Transaction.Type => {
      const { change, session, time, zxid } = transaction
      return { zxid, time, session, type: typeOf(change), paths: pathsOf(change), text: textOf(change) }
    }),
    ({ session, text, time, zxid }, style) =>
      `${Output.formatHex(zxid)}  ${style.dim(Output.formatTime(time))}  ${style.dim(Output.formatHex(session))}  ${text}\n`
  )

const typeOf = (change: Change): string => change._tag.charAt(0).toLowerCase() + change._tag.slice(1)

/** Those of a multi are those of its parts, too. The end of a session deletes the ephemeral znodes that it has. */
const typesOf = (change: Change): ReadonlyArray<string> => {
  if (change._tag === "Multi") return ["multi", ...change.changes.map(typeOf)]
  return change._tag === "CloseSession" ? [typeOf(change), "delete"] : [typeOf(change)]
}

const pathsOf = (change: Change): ReadonlyArray<string> => {
  if (change._tag === "Multi") return change.changes.flatMap(pathsOf)
  if (change._tag === "CloseSession") return change.paths ?? []
  return "path" in change ? [change.path] : []
}

const textOf = (change: Change): string => {
  switch (change._tag) {
    case "CreateSession":
      return `begins a session of ${change.timeout} ms`
    case "CloseSession": {
      const paths = change.paths ?? []
      return paths.length === 0 ? "ends its session" : `ends its session, and deletes ${paths.map(shown).join(" ")}`
    }
    case "Multi": {
      const isRefused = change.changes.some(({ _tag }) => _tag === "Error")
      return `${isRefused ? "was refused" : "together"}: ${change.changes.map(simpleText).join("; ")}`
    }
    default:
      return simpleText(change)
  }
}

const simpleText = (change: SimpleChange): string => {
  switch (change._tag) {
    case "Create": {
      const kind = change.ephemeral
        ? "ephemeral "
        : change.operation === "createContainer"
          ? "container "
          : change.ttl === undefined
            ? ""
            : `TTL ${change.ttl} ms `
      return `creates ${kind}${shown(change.path)} (${change.data?.length ?? 0} bytes)`
    }
    case "Delete":
      return `deletes ${shown(change.path)}${change.container ? " (by the server)" : ""}`
    case "SetData":
      return `writes ${shown(change.path)} (${change.data?.length ?? 0} bytes, version ${change.version})`
    case "SetAcl":
      return `sets the ACL of ${shown(change.path)} (version ${change.version})`
    case "Check":
      return `checks ${shown(change.path)}`
    case "Error":
      return `error ${change.code}`
  }
}

const byCount = (a: { readonly count: number }, b: { readonly count: number }) => b.count - a.count

/** The most lines of a list. */
const MOST = 10

class Stats {
  private transactions = 0
  private bytes = 0
  private first: Transaction | undefined
  private last: Transaction | undefined
  private readonly types = new Map<string, number>()
  private readonly sessions = new Map<bigint, number>()
  private readonly paths = new Map<string, { count: number; bytes: number }>()

  add(transaction: Transaction): void {
    const { change, session, size: bytes } = transaction
    this.transactions++
    this.bytes += bytes
    this.first ??= transaction
    this.last = transaction
    const type = typeOf(change)
    this.types.set(type, (this.types.get(type) ?? 0) + 1)
    this.sessions.set(session, (this.sessions.get(session) ?? 0) + 1)
    for (const path of pathsOf(change)) {
      const of = this.paths.get(path) ?? { count: 0, bytes: 0 }
      of.count++
      of.bytes += bytes
      this.paths.set(path, of)
    }
  }

  result(): typeof StorageOutput.LogStats.Type {
    return {
      transactions: this.transactions,
      bytes: this.bytes,
      firstZxid: this.first?.zxid ?? 0n,
      lastZxid: this.last?.zxid ?? 0n,
      from: this.first?.time ?? 0,
      to: this.last?.time ?? 0,
      types: [...this.types].map(([type, count]) => ({ type, count })).toSorted(byCount),
      sessions: [...this.sessions]
        .map(([session, count]) => ({ session, count }))
        .toSorted(byCount)
        .slice(0, MOST),
      paths: [...this.paths]
        .map(([path, { bytes, count }]) => ({ path, count, bytes }))
        .toSorted(byCount)
        .slice(0, MOST)
    }
  }
}

const statsText = (stats: typeof StorageOutput.LogStats.Type, style: Style): string => {
  const seconds = (stats.to - stats.from) / 1000
  const rate = seconds > 0 ? `, ${(stats.transactions / seconds).toFixed(1)} per second` : ""
  const rows = [
    ["transactions", `${stats.transactions}${rate}`],
    ["bytes", size(stats.bytes)],
    ["zxids", `${Output.formatHex(stats.firstZxid)} to ${Output.formatHex(stats.lastZxid)}`],
    ["times", `${Output.formatTime(stats.from)} to ${Output.formatTime(stats.to)}`],
    ...stats.types.map(({ count, type }) => [type, String(count)] as const),
    ...stats.sessions.map(({ count, session }) => [`by ${Output.formatHex(session)}`, String(count)] as const),
    ...stats.paths.map(({ bytes, count, path }) => [shown(path), `${count} (${size(bytes)})`] as const)
  ] as const
  return fields(rows, style)
}
