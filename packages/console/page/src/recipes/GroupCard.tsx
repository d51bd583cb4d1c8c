import type { Group } from "@effect-zookeeper/console/EnsembleModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import { Show } from "solid-js"
import { counted } from "../model/text.ts"
import { duration } from "../model/time.ts"
import { nameOf } from "../model/znodePath.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Name } from "../parts/Name.tsx"
import { usePage } from "../shell/page.ts"

const kinds: Readonly<Record<Group["kind"], string>> = {
  party: "party",
  services: "services",
  doubleBarrier: "double barrier, open"
}

/** The members of a group, each with the session that it ends with. */
export const GroupCard = (props: { readonly group: Group }) => {
  const { href, now } = usePage()
  return (
    <>
      <div class="panel-head">
        <span class="badge info">{kinds[props.group.kind]}</span>
        <a href={href({ view: "tree", path: props.group.path })}>
          <Name text={props.group.path} />
        </a>
        <span class="spring" />
        <span class="badge number">{counted(props.group.members.length + props.group.more, "member")}</span>
      </div>
      <ol class="contenders">
        <Keyed each={props.group.members} by={({ path }) => path}>
          {(member, index) => (
            <li class="contender holds">
              <span class="contender-place number">{index() + 1}</span>
              <div class="contender-who">
                <a href={href({ view: "tree", path: member().path })}>
                  <Name text={member().identifier ?? nameOf(member().path)} />
                </a>
                <span class="detail">
                  member for {duration(Math.max(0, now() - member().since))}
                  <Show when={member().address}>
                    {(address) => (
                      <>
                        , at <Name text={address()} />
                      </>
                    )}
                  </Show>
                </span>
              </div>
              <a class="button quiet" href={href({ view: "sessions", path: `/${formatHex(member().session)}` })}>
                <Icon name="sessions" size={14} /> session
              </a>
            </li>
          )}
        </Keyed>
        <Show when={props.group.more > 0}>
          <li class="contender muted">and {props.group.more.toLocaleString("en")} more</li>
        </Show>
      </ol>
    </>
  )
}
