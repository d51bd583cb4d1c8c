/** `zk restore` and `zk copy`: a tree is written into an ensemble. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { type Progress, Restore } from "@effect-zookeeper/storage"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as StorageOutput from "../../StorageOutput.ts"
import { confirm } from "../change/ask.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { count, shown } from "../output/text.ts"
import { withProgress } from "../output/progress.ts"
import { reportUnfinished } from "../output/unfinished.ts"
import { openSource, openTarget, refuseOverlap } from "./treeRef.ts"

export interface Flags {
  readonly dryRun: boolean
  readonly overwrite: "older" | "never" | "always"
  readonly kinds: "keep" | "persistent"
  readonly openAcls: boolean
  readonly noCounters: boolean
  readonly maxRaise: number | undefined
  readonly yes: boolean
}

export interface RestoreInput extends Flags {
  readonly file: string
  readonly target: string | undefined
}

export interface CopyInput extends Flags {
  readonly source: string
  readonly target: string
}

export const restore = Effect.fnUntraced(function* ({ file, target, ...flags }: RestoreInput) {
  yield* transfer("restore", `backup:${file}`, target, flags)
})

export const copy = Effect.fnUntraced(function* ({ source, target, ...flags }: CopyInput) {
  yield* transfer("copy", source, target, flags)
})

// ---- internal

const transfer = Effect.fnUntraced(function* (
  command: string,
  sourceText: string,
  targetText: string | undefined,
  flags: Flags
) {
  const { note } = yield* Printer
  if (targetText !== undefined) yield* refuseOverlap(sourceText, targetText)
  const source = yield* openSource(sourceText)
  const target = yield* openTarget(command, targetText ?? source.root)
  // The dry run may be all that is allowed.
  const reader = yield* target.read
  const options: Restore.Options = {
    path: target.path,
    aclReaders: yield* target.aclReaders(reader),
    overwrite: flags.overwrite,
    kinds: flags.kinds,
    counters: !flags.noCounters,
    maxRaise: flags.maxRaise,
    ...(flags.openAcls ? { acl: () => Acl.open } : {})
  }
  const counts = new Map<Restore.Step["_tag"], number>()
  const steps = yield* withProgress((onProgress) =>
    Stream.runCollect(
      Restore.plan(source, reader, { ...options, onProgress }).pipe(
        Stream.filter(({ _tag }) => {
          counts.set(_tag, (counts.get(_tag) ?? 0) + 1)
          return _tag !== "Same"
        })
      )
    )
  )
  const of = (tag: Restore.Step["_tag"]) => counts.get(tag) ?? 0
  if (flags.dryRun) {
    yield* printSteps(steps, totalOf(of, true))
    return yield* note(`nothing was written; it would be: ${summary(of)}`)
  }
  if (of("Create") + of("Overwrite") + of("Raise") > 0) {
    const zk = yield* target.write
    yield* confirm(`${shown(target.path)}: ${summary(of)}. Go on?`, flags.yes)
    const left: Array<Restore.Step> = []
    const onStep = (step: Restore.Step) => {
      if (step._tag === "Leave" || step._tag === "Skip" || step._tag === "NotRaised") left.push(step)
    }
    let latest: Progress | undefined
    const done = yield* withProgress((onProgress) =>
      Restore.run(source, zk, {
        ...options,
        onStep,
        onProgress: (progress) => {
          latest = progress
          onProgress(progress)
        }
      }).pipe(reportUnfinished(Effect.suspend(() => note(soFar(latest)))))
    )
    const ofRun = (tag: Restore.Step["_tag"]) => done[tag]
    yield* printSteps(left, totalOf(ofRun, false))
    return yield* note(summary(ofRun, true))
  }
  yield* printSteps(steps, totalOf(of, false))
  yield* note(summary(of, true))
})

/** How far a run came that did not end. */
const soFar = (latest: Progress | undefined): string => {
  switch (latest?.phase) {
    case "writing": {
      const all = latest.total === undefined ? "" : ` of the ${count(latest.total, "znode")}`
      return `${latest.total === undefined ? count(latest.done, "znode") : latest.done}${all} were done, and maybe some more; the same command goes on with the rest`
    }
    case "counters":
      return "all znodes were written, and their sequence numbers in part; the same command goes on with the rest"
    default:
      return "no write was confirmed; the same command can be run again"
  }
}

const summary = (of: (tag: Restore.Step["_tag"]) => number, isDone = false): string => {
  const to = (verb: string, done: string) => (isDone ? done : `to ${verb}`)
  return [
    `${count(of("Create"), "znode")} ${to("create", "created")}`,
    `${of("Overwrite")} ${to("overwrite", "overwritten")}`,
    `${of("Same")} the same`,
    ...(of("Leave") > 0 ? [`${of("Leave")} left as they are`] : []),
    ...(of("Skip") > 0 ? [`${of("Skip")} ephemeral and skipped`] : []),
    ...(of("Raise") > 0 ? [`${count(of("Raise"), "sequence number")} ${to("raise", "raised")}`] : []),
    ...(of("NotRaised") > 0 ? [`${count(of("NotRaised"), "sequence number")} not raised`] : [])
  ].join(", ")
}

type Total = typeof StorageOutput.StepTotal.Type

const totalOf = (of: (tag: Restore.Step["_tag"]) => number, dryRun: boolean): Total => ({
  step: "total",
  dryRun,
  create: of("Create"),
  overwrite: of("Overwrite"),
  same: of("Same"),
  leave: of("Leave"),
  skip: of("Skip"),
  raise: of("Raise"),
  notRaised: of("NotRaised")
})

/** People get the total in a sentence, on the standard error. */
const printSteps = (steps: ReadonlyArray<Restore.Step>, total: Total) =>
  printAll(
    Schema.Union([StorageOutput.Step, StorageOutput.StepTotal]),
    Stream.fromIterable([...steps.flatMap(itemOf), total]),
    (item, style) => {
      if (item.step === "total") return ""
      const { from, parts, path, reason, step, to } = item
      const remarks = [
        ...(parts === undefined ? [] : [parts.join(" and ")]),
        ...(reason === undefined ? [] : [reason]),
        ...(to === undefined ? [] : [`${from} → ${to}`])
      ]
      return `${style.dim(labels[step].padEnd(10))} ${shown(path)}${remarks.length === 0 ? "" : style.dim(`  (${remarks.join(", ")})`)}\n`
    }
  )

const labels = {
  create: "create",
  overwrite: "overwrite",
  leave: "leave",
  skip: "skip",
  raise: "raise",
  notRaised: "not raised"
} as const

/** Why a znode or a number stays as it is. */
export const reasons = {
  newer: "newer",
  exists: "exists",
  ephemeral: "ephemeral",
  belowEphemeral: "below an ephemeral znode",
  limit: "beyond --max-raise",
  notPermitted: "not permitted",
  missing: "deleted meanwhile"
} as const

const itemOf = (step: Restore.Step): ReadonlyArray<typeof StorageOutput.Step.Type> => {
  const { path } = step
  switch (step._tag) {
    case "Create":
      return [{ step: "create", path }]
    case "Overwrite":
      return [
        {
          step: "overwrite",
          path,
          parts: [...(step.data ? (["data"] as const) : []), ...(step.acl ? (["acl"] as const) : [])]
        }
      ]
    case "Leave":
      return [{ step: "leave", path, reason: reasons[step.reason] }]
    case "Skip":
      return [{ step: "skip", path, reason: "ephemeral", session: step.session }]
    case "Raise":
      return [{ step: "raise", path, from: step.from, to: step.to }]
    case "NotRaised":
      return [{ step: "notRaised", path, from: step.from, to: step.to, reason: reasons[step.reason] }]
    case "Same":
      return []
  }
}
