import type { Stat, SubtreeSize } from "@effect-zookeeper/console/Models"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createEffect, createSignal, For, on, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useQuestion } from "../link/run.ts"
import { size } from "../model/data.ts"
import { facts, lifetime } from "../model/stat.ts"
import { nameOf, parentOf, sequenceOf } from "../model/znodePath.ts"
import { usePage } from "../shell/page.ts"

/** The stat in words: how long the znode stays, who wrote it when, and the numbers behind it. */
export const StatPanel = (props: { readonly path: string; readonly stat: Stat }) => {
  const { href, now } = usePage()
  const life = () => lifetime(props.stat)
  const isContender = () => life().owner !== undefined && sequenceOf(nameOf(props.path)) !== undefined
  return (
    <section class="panel" aria-label="Stat">
      <div class="panel-head">
        <h2>Stat</h2>
        <span class={`badge ${life().word === "persistent" ? "" : "info"}`}>{life().word}</span>
      </div>
      <div class="panel-body stack">
        <p class="muted">
          {life().text}
          <Show when={life().owner}>
            {(owner) => (
              <>
                {" "}
                <a class="mono" href={href({ view: "sessions", path: `/${owner()}` })}>
                  {owner()}
                </a>
              </>
            )}
          </Show>
        </p>
        <Show when={isContender()}>
          <p class="muted">
            The number in its name is its turn, as at a lock:{" "}
            <a href={href({ view: "recipes", path: parentOf(props.path) ?? "/" })}>see its holder and the waiters</a>.
          </p>
        </Show>
        <dl class="facts">
          <For each={facts(props.stat, now())}>
            {({ detail, name, text }) => (
              <div>
                <dt>{name}</dt>
                <dd>
                  {text}
                  <span class="detail">{detail}</span>
                </dd>
              </div>
            )}
          </For>
        </dl>
        <Show when={props.stat.numChildren > 0}>
          <Below path={props.path} />
        </Show>
      </div>
    </section>
  )
}

/** The size of the subtree, when a person asks for it, and the way to what it is used for. */
const Below = (props: { readonly path: string }) => {
  const { cluster, href, link } = usePage()
  const [found, setFound] = createSignal<typeof SubtreeSize.Type>()
  const counting = useQuestion<typeof SubtreeSize.Type, ReadFailure>(setFound)
  createEffect(
    on(
      () => props.path,
      () => {
        setFound()
        counting.forget()
      }
    )
  )
  const text = () => {
    const state = counting.state()
    if (state._tag === "Failed") return describe(state.error, "question")
    const size = found()
    return size === undefined ? "" : words(size)
  }
  return (
    <div class="row">
      <button
        class="button"
        disabled={counting.state()._tag === "Running"}
        onClick={() => counting.start(link.client.subtreeSize({ cluster: cluster()?.name ?? "", path: props.path }))}
      >
        Count the subtree
      </button>
      <a
        class="button"
        href={href({ view: "recipes", path: props.path })}
        title="The recipes here, with their holders and waiters"
      >
        Locks and queues here
      </a>
      <span class="muted number" role="status">
        {text()}
      </span>
    </div>
  )
}

const words = ({ bytes, znodes }: typeof SubtreeSize.Type): string =>
  `${znodes.toLocaleString("en")} znodes${bytes === undefined ? "" : `, ${size(bytes)}`}`
