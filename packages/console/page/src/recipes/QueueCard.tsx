import type { Queue } from "@effect-zookeeper/console/EnsembleModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import { Show } from "solid-js"
import { counted } from "../model/text.ts"
import { duration } from "../model/time.ts"
import { nameOf } from "../model/znodePath.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"

/** How long a queue is, how fast it grows, and its first entries in the order in which they are taken. */
export const QueueCard = (props: { readonly queue: Queue; readonly rate: number | undefined }) => {
  const { href, now } = usePage()
  return (
    <>
      <div class="panel-head">
        <span class="badge info">queue</span>
        <a href={href({ view: "tree", path: props.queue.path })}>
          <Name text={props.queue.path} />
        </a>
        <span class="spring" />
        <Show when={props.queue.layout}>{(layout) => <span class="badge">{layout()}</span>}</Show>
        <Show when={props.queue.dead > 0}>
          <span class="badge bad number">{props.queue.dead.toLocaleString("en")} dead</span>
        </Show>
        <span class="badge number">{counted(props.queue.items, "item")}</span>
      </div>
      <p class="queue-rate muted number">
        {props.queue.taken.toLocaleString("en")} being worked on
        <Show when={props.rate !== undefined && Math.abs(props.rate) >= 1}>
          {" "}
          · {(props.rate ?? 0) > 0 ? "grows" : "shrinks"} by{" "}
          {Math.round(Math.abs(props.rate ?? 0)).toLocaleString("en")} a minute
        </Show>
      </p>
      <ol class="contenders">
        <Keyed
          each={props.queue.entries}
          by={({ path }) => path}
          fallback={<li class="contender muted">It is empty.</li>}
        >
          {(entry, index) => (
            <li class="contender" classList={{ holds: entry().state === "taken" }}>
              <span class="contender-place number">{index() + 1}</span>
              <div class="contender-who">
                <a href={href({ view: "tree", path: entry().path })}>
                  <Show
                    when={entry().encoding === "utf8" && entry().data !== ""}
                    fallback={<Name text={nameOf(entry().path)} />}
                  >
                    <Name text={entry().data.slice(0, 80)} />
                  </Show>
                </a>
                <span class="detail">
                  has waited for {duration(Math.max(0, now() - entry().since))}, priority {entry().priority}
                  <Show when={entry().attempts > 0}>, {counted(entry().attempts, "attempt")} failed</Show>
                  <Show when={entry().takenSince}>
                    {(since) => <>, taken for {duration(Math.max(0, now() - since()))}</>}
                  </Show>
                </span>
              </div>
              <Show when={entry().session}>
                {(session) => (
                  <a class="button quiet" href={href({ view: "sessions", path: `/${formatHex(session())}` })}>
                    <Icon name="sessions" size={14} /> session
                  </a>
                )}
              </Show>
            </li>
          )}
        </Keyed>
      </ol>
    </>
  )
}
