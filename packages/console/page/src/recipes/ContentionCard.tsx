import type { Contention } from "@effect-zookeeper/console/EnsembleModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import { createMemo, Show } from "solid-js"
import { ago, duration, moment } from "../model/time.ts"
import { nameOf } from "../model/znodePath.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"

type Contender = Contention["contenders"][number]

const names: Readonly<Record<Contention["recipe"], string>> = {
  lock: "lock",
  readWriteLock: "read-write lock",
  election: "election",
  semaphore: "semaphore",
  lease: "leases"
}

const layouts = {
  curator: "Curator's layout",
  go: "go-zookeeper's layout",
  kazoo: "kazoo's layout",
  aiozk: "aiozk's layout"
} as const

/** A first contender that has waited this long catches the eye: the holder may be stuck. */
const longWait = 300_000

/** Contenders beyond these are counted, and not listed. */
const shown = 12

/** The holders, since when and with which token, and the waiters in their order. */
export const ContentionCard = (props: { readonly contention: Contention }) => {
  const { href, now } = usePage()
  const holders = createMemo(() => props.contention.contenders.filter(({ state }) => state === "holds"))
  const waiting = createMemo(() => props.contention.contenders.filter(({ state }) => state === "waits"))
  const longest = () => Math.max(0, now() - (waiting()[0]?.since ?? now()))
  return (
    <>
      <div class="panel-head">
        <span class="badge info">{names[props.contention.recipe]}</span>
        <a href={href({ view: "tree", path: props.contention.path })}>
          <Name text={props.contention.path} />
        </a>
        <span class="spring" />
        <Show when={props.contention.permits}>
          {(permits) => (
            <span class="badge number">
              {holders().length} of {permits()} permits
            </span>
          )}
        </Show>
        <Show when={waiting().length > 0}>
          <span class={`badge number ${longest() > longWait ? "warn" : ""}`}>
            {waiting().length} waiting, the first for {duration(longest())}
          </span>
        </Show>
      </div>
      <ol class="contenders">
        <Keyed each={holders()} by={pathOf} fallback={<li class="contender muted">Nobody holds it.</li>}>
          {(contender) => <ContenderRow contender={contender()} place={undefined} />}
        </Keyed>
        <Keyed each={waiting().slice(0, shown)} by={pathOf}>
          {(contender, index) => <ContenderRow contender={contender()} place={index() + 1} />}
        </Keyed>
        <Show when={waiting().length > shown}>
          <li class="contender muted">and {(waiting().length - shown).toLocaleString("en")} more</li>
        </Show>
      </ol>
    </>
  )
}

const pathOf = ({ path }: Contender): string => path

const ContenderRow = (props: { readonly contender: Contender; readonly place: number | undefined }) => {
  const { href, now } = usePage()
  return (
    <li class="contender" classList={{ holds: props.place === undefined }}>
      <span class="contender-place number">
        <Show when={props.place} fallback={<Icon name="lock" size={14} />}>
          {(place) => place()}
        </Show>
      </span>
      <div class="contender-who">
        <a href={href({ view: "tree", path: props.contender.path })}>
          <Show
            when={(props.contender.identifier ?? "") !== ""}
            fallback={<Name text={nameOf(props.contender.path)} />}
          >
            <Name text={props.contender.identifier ?? ""} />
          </Show>
        </a>
        <span class="detail">
          {props.place === undefined ? "has held it" : "has waited"} for{" "}
          {duration(Math.max(0, now() - props.contender.since))}
          <Show when={props.contender.kind === "read" || props.contender.kind === "write"}>
            , to {props.contender.kind}
          </Show>
          <Show when={props.contender.until}>
            {(until) => (
              <>
                , until {moment(until())} ({ago(until(), now())})
              </>
            )}
          </Show>
          <Show when={props.place === undefined}>
            , token <span class="mono">{formatHex(props.contender.czxid)}</span>
          </Show>
          <Show when={props.contender.layout}>{(layout) => <>, {layouts[layout()]}</>}</Show>
        </span>
      </div>
      <Show when={props.contender.session}>
        {(session) => (
          <a
            class="button quiet"
            href={href({ view: "sessions", path: `/${formatHex(session())}` })}
            title={`Session ${formatHex(session())}`}
          >
            <Icon name="sessions" size={14} /> session
          </a>
        )}
      </Show>
    </li>
  )
}
