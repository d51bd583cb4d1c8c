/** `zk doctor`: what is odd about the ensemble and its tree. */
import { FrameTooLarge } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Diagnosis from "../../Diagnosis.ts"
import type * as MemberStatus from "../../MemberStatus.ts"
import { compare } from "../doctor/advisories.ts"
import { checkClock } from "../doctor/clockCheck.ts"
import { examine, type Finding, type Member, merge } from "../doctor/examination.ts"
import { checkMembers } from "../doctor/memberChecks.ts"
import { checkQuotas } from "../doctor/quotaChecks.ts"
import { checkSettings } from "../doctor/settingChecks.ts"
import { checkTree } from "../doctor/treeChecks.ts"
import { Client, type Reader } from "../frame/Client.ts"
import { deadline } from "../frame/deadline.ts"
import { parseSize } from "../frame/durations.ts"
import { NoMemberReached, Unhealthy } from "../frame/errors.ts"
import { explain } from "../frame/explain.ts"
import type { Settings } from "../frame/Settings.ts"
import { printAll, type Style } from "../output/Printer.ts"
import { count, shown } from "../output/text.ts"
import { isAnswering } from "./memberCells.ts"
import type { Unknown } from "./discovery.ts"
import { findMembers, makeAsk, showAnswers, withinOf } from "./network.ts"

export interface Input {
  readonly path: string
  readonly noTree: boolean
  readonly large: string
  readonly many: number
  readonly failOn: "error" | "warning" | "never"
  readonly adminPort: number | undefined
  readonly discover: boolean
  readonly within: string
}

/** It changes nothing. */
export const doctor = Effect.fnUntraced(function* (input: Input) {
  const client = yield* Client
  const each = yield* withinOf(input.within)
  // Each member is asked three times, one after the other: what is known by then is printed.
  const limit = client.settings.timeout
  const timeout = limit === undefined ? each : Duration.min(each, Duration.times(limit, 0.25))
  const large = yield* parseSize("--large", input.large)
  yield* Effect.fromResult(ZnodePath.validate(input.path))
  const inTime = yield* deadline(client.settings)
  const { servers, unknown } = yield* inTime(findMembers(input.discover))
  const { ask, showing } = yield* showAnswers(servers, yield* makeAsk(input.adminPort, timeout))
  const patient = {
    settings: client.settings,
    servers,
    unknown,
    ask,
    showing,
    timeout,
    tree: input.noTree
      ? undefined
      : { reader: client.reader, rootReader: client.rootReader, path: input.path, large, many: input.many }
  }
  const ofMembers = yield* inTime(lookAtMembers(patient))
  // Where sessions are refused, a connection is lost or the time is over, what was found so far matters most.
  const found: Array<Finding> = []
  const ofTree = yield* Effect.result(inTime(lookAtTree(patient, ofMembers, found)))
  const failure = Result.isFailure(ofTree) ? ofTree.failure : undefined
  if (failure !== undefined) found.push(findingOf(failure, input.path))
  const findings = worstFirst([...ofMembers.findings, ...found])
  const isAnyReached = ofMembers.all.some(({ status }) => isAnswering(status))
  yield* printAll(Diagnosis.Finding, Stream.fromIterable(findings), toText)
  if (failure !== undefined) return yield* Effect.fail(failure)
  if (!isAnyReached) return yield* new NoMemberReached({ message: "no member answers" })
  const [errors, warnings] = (["error", "warning"] as const).map(
    (severity) => findings.filter((finding) => finding.severity === severity).length
  )
  const bad = input.failOn === "never" ? 0 : (errors ?? 0) + (input.failOn === "warning" ? (warnings ?? 0) : 0)
  if (bad === 0) return
  return yield* new Unhealthy({
    message: `${count(errors ?? 0, "error")} and ${count(warnings ?? 0, "warning")} found`
  })
})

export interface Patient<E, R> {
  readonly settings: Settings
  readonly servers: ReadonlyArray<ServerAddress>
  /** The members that cannot be asked. */
  readonly unknown?: Unknown | undefined
  readonly ask: MemberStatus.Ask
  /** Shows how the members answer. */
  readonly showing?: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
  /** How long a member may take. */
  readonly timeout: Duration.Duration
  /** What to look for in the tree; undefined where it is not looked at. */
  readonly tree:
    | {
        readonly reader: Effect.Effect<Reader, E, R>
        /** A reader of the root of the servers, where quotas are kept, and the chroot there; undefined leaves quotas out. */
        readonly rootReader?: Effect.Effect<{ readonly zk: Reader; readonly chroot: string }, E, R>
        readonly path: string
        readonly large: number
        readonly many: number
        /** The most znodes that are looked at. Default: all. */
        readonly limit?: number
      }
    | undefined
}

/** The findings, the worst first. It fails where the tree cannot be looked at. */
export const diagnose = Effect.fnUntraced(function* <E, R>(patient: Patient<E, R>) {
  const ofMembers = yield* lookAtMembers(patient)
  const found: Array<Finding> = []
  yield* lookAtTree(patient, ofMembers, found)
  return worstFirst([...ofMembers.findings, ...found])
})

// ---- internal

interface OfMembers {
  readonly all: ReadonlyArray<Member>
  readonly findings: ReadonlyArray<Finding>
}

const lookAtMembers = Effect.fnUntraced(function* <E, R>(patient: Patient<E, R>) {
  const { ask, servers, settings, timeout, unknown } = patient
  const showing: NonNullable<Patient<E, R>["showing"]> = patient.showing ?? identity
  const all = yield* showing(examine(servers, ask))
  const clock = yield* Effect.forEach(all, (member) => checkClock(member, ask, { settings, path: "/", timeout }), {
    concurrency: "unbounded"
  })
  const findings = [
    ...checkMembers(all),
    ...checkSettings(all, unknown),
    ...clock.flat(),
    ...encryption(all, settings.tls)
  ]
  return { all, findings: merge(findings) } satisfies OfMembers
})

/** Adds to `found` as it goes on, so that what was found is there where it fails or is interrupted. */
const lookAtTree = Effect.fnUntraced(function* <E, R>(
  { ask, tree }: Patient<E, R>,
  { all }: OfMembers,
  found: Array<Finding>
) {
  if (tree === undefined || !all.some(({ status }) => status.state === "serving")) return
  const { large, limit, many, path, reader, rootReader } = tree
  const add = (findings: ReadonlyArray<Finding>) => {
    found.push(...findings)
  }
  const options = { path, large, many, limit, sessions: sessionsOf(all), sessionsNow: askSessions(all, ask) }
  add(yield* checkTree(yield* reader, { ...options, onPart: add }))
  if (rootReader === undefined) return
  const root = yield* rootReader
  add(yield* checkQuotas(root.zk, root.chroot, path))
})

/** A znode whose children do not fit into a reply is something to mend; the others are reasons not to see the tree. */
const findingOf = (error: { readonly _tag: string; readonly message: string }, path: string): Finding =>
  error instanceof FrameTooLarge && error.path !== ""
    ? {
        severity: "error",
        check: "many-children",
        where: error.path,
        message: `a reply about it has ${error.size} bytes, which is more than clients take; the rest of the tree was not looked at`,
        advice: "spread its children over several parents; --max-buffer gives such replies room"
      }
    : {
        severity: "error",
        check: "tree",
        where: path,
        message: `the tree could not be looked through: ${explain(error)}`,
        advice: "--no-tree leaves it out"
      }

const worstFirst = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))

const severities: ReadonlyArray<Finding["severity"]> = ["error", "warning", "note"]

/** A member that tells all sessions: a leader, a server by itself, or since ZooKeeper 3.5 any other. */
const knowing = (all: ReadonlyArray<Member>): Member | undefined => {
  const telling = all.filter(({ dump }) => dump !== undefined)
  return (
    telling.find(({ status }) => status.mode === "leader" || status.mode === "standalone") ??
    telling.find(({ status }) => status.release !== undefined && compare(status.release, "3.5.0") >= 0)
  )
}

const sessionsOf = (all: ReadonlyArray<Member>): ReadonlySet<bigint> | undefined => {
  const dump = knowing(all)?.dump
  return dump === undefined ? undefined : new Set(dump.sessions)
}

const askSessions = (
  all: ReadonlyArray<Member>,
  ask: MemberStatus.Ask
): Effect.Effect<ReadonlySet<bigint> | undefined> => {
  const member = knowing(all)
  if (member === undefined) return Effect.succeed(undefined)
  return ask(member.address, "dump").pipe(
    Effect.map(({ sessions }) => new Set(sessions)),
    Effect.orElseSucceed(() => undefined)
  )
}

const encryption = (all: ReadonlyArray<Member>, tls: unknown): ReadonlyArray<Finding> => {
  const plain = all.filter(
    ({ address, status }) =>
      status.state !== "unreachable" && !isLoopback(address.host) && (address.scheme ?? (tls ? "tls" : "tcp")) === "tcp"
  )
  if (plain.length === 0) return []
  return [
    {
      severity: "note",
      check: "encryption",
      where: plain.map(({ server }) => server).join(", "),
      message: "these connections are not encrypted: data and credentials can be read on the way",
      advice: "use the secure port, with --tls"
    }
  ]
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.")

const toText = ({ advice, message, severity, where }: Finding, style: Style): string => {
  const label = severity.padEnd(7)
  const mark =
    severity === "error" ? style.bold(label) : severity === "warning" ? style.yellow(label) : style.dim(label)
  const place = where === "" ? "" : `${shown(where)}: `
  const hint = advice === undefined ? "" : `         ${style.dim(shown(advice))}\n`
  return `${mark}  ${place}${shown(message)}\n${hint}`
}
