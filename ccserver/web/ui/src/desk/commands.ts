/** Everything the palette can do now, as a list. Pure but for the words. */
import { canFinish, type DeskData } from '@/lib/desk_state';
import { t } from '@/lib/words/index.svelte';
import type { Desk } from './desk.svelte';

export interface PaletteCommand {
  group: string;
  label: string;
  run: () => void;
}

export interface PageActs {
  settings: () => void;
  keys: () => void;
  logout: () => void;
  transfer: () => void;
  reason: () => void;
}

function statusCommands(desk: Desk, data: DeskData): PaletteCommand[] {
  if (!desk.link.live) return [];
  const group = t('groupStatus');
  const ready =
    data.state.status === 'READY' ? [] : [{ group, label: t('goReady'), run: () => void desk.goReady() }];
  const pauses = data.reasons.map((one) => ({ group, label: one.label, run: () => void desk.pause(one.code) }));
  return [...ready, ...pauses];
}

function callCommands(desk: Desk, data: DeskData, page: PageActs): PaletteCommand[] {
  if (!desk.link.live) return [];
  const group = t('groupCall');
  const list: PaletteCommand[] = [];
  if (data.offer) {
    list.push({ group, label: t('answerPhone'), run: () => void desk.accept() });
    list.push({ group, label: t('decline'), run: () => void desk.decline() });
  }
  if (desk.live && desk.live.phase !== 'wrap_up') list.push({ group, label: t('transfer'), run: page.transfer });
  return list;
}

function itemCommands(desk: Desk, data: DeskData, page: PageActs): PaletteCommand[] {
  const item = desk.item;
  const list: PaletteCommand[] = [];
  if (item) {
    for (const one of data.dispositions) {
      list.push({
        group: t('groupReason'),
        label: one.label,
        run: () => {
          desk.notes.of(item).disposition = one.code;
          desk.notes.keep(item.interaction);
        },
      });
    }
  }
  if (item && canFinish(item)) {
    const finish = (): void => {
      if (!desk.finish(item)) page.reason();
    };
    list.push({ group: t('groupItems'), label: `${t('finish')}: ${item.label}`, run: finish });
  }
  const others = data.work.filter((one) => one.interaction !== desk.selected);
  const show = (id: string) => (): void => desk.select(id);
  return [...list, ...others.map((one) => ({ group: t('groupItems'), label: one.label, run: show(one.interaction) }))];
}

export function paletteCommands(desk: Desk, data: DeskData, page: PageActs): PaletteCommand[] {
  const group = t('groupMore');
  return [
    ...callCommands(desk, data, page),
    ...statusCommands(desk, data),
    ...itemCommands(desk, data, page),
    { group, label: t('settings'), run: page.settings },
    { group, label: t('keys'), run: page.keys },
    { group, label: t('logout'), run: page.logout },
  ];
}

/** Each word typed must begin some word of the command; its own words count before those of its group. */
export function matching(commands: readonly PaletteCommand[], typed: string): PaletteCommand[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text: string): boolean => {
    const words = text.toLowerCase().split(/[\s:,]+/);
    return wanted.every((part) => words.some((word) => word.startsWith(part)));
  };
  const own = commands.filter((one) => fits(one.label));
  return [...own, ...commands.filter((one) => !own.includes(one) && fits(`${one.group} ${one.label}`))];
}
