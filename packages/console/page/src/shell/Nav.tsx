import { createMemo, createSignal, For, Show } from "solid-js"
import { useFeed } from "../link/run.ts"
import { assess } from "../model/ensemble.ts"
import { pathFor, type View } from "../model/Route.ts"
import { Icon } from "../parts/Icon.tsx"
import { usePage } from "./page.ts"

const items: ReadonlyArray<{ readonly view: View; readonly text: string; readonly about: string }> = [
  { view: "tree", text: "Tree", about: "Znodes and their data" },
  { view: "ensemble", text: "Ensemble", about: "The servers, and how they are" },
  { view: "recipes", text: "Recipes", about: "Locks, elections, queues and services, with their holders and waiters" },
  { view: "sessions", text: "Sessions", about: "The clients, and what ends with them" },
  { view: "events", text: "Events", about: "What changes, as it happens" }
]

/** How many members do not serve. An operator who comes because of an alarm begins at the tree, and must see it there. */
const useLost = () => {
  const { cluster } = usePage()
  const name = createMemo(() => cluster()?.name)
  const [lost, setLost] = createSignal(0)
  useFeed(
    (client) => {
      const cluster = name()
      return cluster === undefined ? undefined : client.ensemble({ cluster })
    },
    (event) => {
      if (event._tag === "sample") setLost(event.members.filter((member) => assess(member).health === "bad").length)
    },
    () => setLost(0)
  )
  return lost
}

export const Nav = () => {
  const { href, route } = usePage()
  const lost = useLost()
  return (
    <nav aria-label="Views">
      <For each={items}>
        {({ about, text, view }) => (
          <a
            class="nav-item"
            title={about}
            href={href({ view, path: pathFor(route()) })}
            aria-current={route().view === view ? "page" : undefined}
          >
            <Icon name={view} size={18} />
            <span>{text}</span>
            <Show when={view === "ensemble" && lost() > 0}>
              <span class="badge bad number nav-badge">
                {lost()}
                <span class="sr"> {lost() === 1 ? "member does" : "members do"} not serve</span>
              </span>
            </Show>
          </a>
        )}
      </For>
    </nav>
  )
}
