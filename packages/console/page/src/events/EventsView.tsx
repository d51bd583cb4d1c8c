import { formatHex } from "@effect-zookeeper/console/Models"
import type { TreeEvent } from "@effect-zookeeper/console/SearchModels"
import { createMemo, createSignal, Match, on, Show, Switch, createEffect } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { counted } from "../model/text.ts"
import { clock } from "../model/time.ts"
import { download } from "../parts/copy.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { Scope } from "../parts/Scope.tsx"
import { VirtualRows } from "../parts/VirtualRows.tsx"
import { usePage } from "../shell/page.ts"
import { makeLog } from "./log.ts"

/** A live log of what happens at and below a path, the newest first. */
export const EventsView = () => {
  const { cluster, href, route } = usePage()
  const name = cluster()?.name ?? ""
  const log = makeLog()
  const [revision, setRevision] = createSignal(0)
  /** How many events had been seen when it was paused. */
  const [pausedAt, setPausedAt] = createSignal<number>()
  const isPaused = () => pausedAt() !== undefined
  const [filter, setFilter] = createSignal("")
  const touch = (): void => void setRevision((revision) => revision + 1)

  const feed = useFeed(
    (client) => client.events({ cluster: name, path: route().path }),
    (events) => {
      log.add(events)
      touch()
    }
  )
  const clear = (): void => {
    log.clear()
    if (isPaused()) setPausedAt(0)
    touch()
  }
  createEffect(
    on(
      () => route().path,
      () => {
        log.begin()
        clear()
      }
    )
  )
  const counts = createMemo(() => {
    revision()
    const seen = log.seen()
    const upTo = pausedAt() ?? seen
    return { upTo, later: seen - upTo, dropped: log.dropped() }
  })
  const shown = createMemo<ReadonlyArray<TreeEvent>>(() => log.matching(filter(), counts().upTo))
  const at = (index: number): TreeEvent | undefined => shown()[shown().length - 1 - index]
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })

  return (
    <div class="view events-view">
      <div class="view-head">
        <h1>Events</h1>
        <Scope label="at and below" />
        <label class="filter session-filter">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Filter the events by path"
            placeholder="Filter by path"
            value={filter()}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <button
          class="button"
          aria-pressed={isPaused()}
          onClick={() => setPausedAt(isPaused() ? undefined : log.seen())}
        >
          <Icon name={isPaused() ? "play" : "pause"} size={14} /> {isPaused() ? "Go on" : "Pause"}
        </button>
        <button class="button" onClick={clear}>
          Clear
        </button>
        <button
          class="button"
          disabled={shown().length === 0}
          onClick={() => download("events.ndjson", [log.lines(shown())])}
        >
          <Icon name="save" size={14} /> Export
        </button>
      </div>
      <p class="muted number" role="status">
        {words(shown().length, counts(), isPaused())}
      </p>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <Show when={feed()._tag === "Stale"}>
        <Note tone="warn">The connection is lost. What happens meanwhile is missed, and a gap will say so.</Note>
      </Show>
      <div class="panel log">
        <Show
          when={shown().length > 0}
          fallback={
            <div class="empty">
              <h2>{feed()._tag === "Live" ? "Nothing has happened yet" : "Setting the watch …"}</h2>
              <p>Whatever is created, changed or deleted at or below this path is listed here.</p>
            </div>
          }
        >
          <VirtualRows
            count={shown().length}
            keyAt={(index) => `${shown().length - index}`}
            scroller={{ role: "log", "aria-label": "Events", "aria-live": "off" }}
          >
            {(_, index) => (
              <Show when={at(index())}>
                {(event) => (
                  <div class={`log-row ${event().event}`}>
                    <span class="number muted">{clock(event().time)}</span>
                    <span class={`log-event ${event().event}`}>{event().event}</span>
                    <Switch>
                      <Match when={event().event === "gap"}>
                        <span>Events may have been missed here.</span>
                      </Match>
                      <Match when={event().event === "ready"}>
                        <span class="muted">The watch is set.</span>
                      </Match>
                      <Match when={true}>
                        <a class="log-path" href={href({ view: "tree", path: event().path })}>
                          <Name text={event().path} />
                        </a>
                      </Match>
                    </Switch>
                    <span class="spring" />
                    <Show when={event().zxid}>
                      {(zxid) => <span class="mono muted wide-only">{formatHex(zxid())}</span>}
                    </Show>
                  </div>
                )}
              </Show>
            )}
          </VirtualRows>
        </Show>
      </div>
    </div>
  )
}

interface Counts {
  readonly upTo: number
  /** Those that came since it was paused. */
  readonly later: number
  readonly dropped: number
}

const words = (shown: number, { dropped, later, upTo }: Counts, isPaused: boolean): string => {
  const total = Math.max(0, upTo - dropped)
  const all =
    shown === total ? counted(total, "event") : `${shown.toLocaleString("en")} of ${total.toLocaleString("en")} events`
  const old = dropped === 0 ? "" : `, ${dropped.toLocaleString("en")} older ones are forgotten`
  const kept =
    later === 0 ? "new ones are kept" : `${later.toLocaleString("en")} new ${later === 1 ? "one is" : "ones are"} kept`
  return `${all}${old}${isPaused ? `. Paused: ${kept}, and shown when it goes on.` : ""}`
}
