import { Icon, type IconName } from './icon.tsx';

const icons: Readonly<Record<'good' | 'part' | 'none' | 'bad', IconName>> = {
  good: 'done',
  part: 'part',
  none: 'forbidden',
  bad: 'warning',
};

/** A short judgement: its sign, its colour and its words say the same. */
export function Verdict({ of, text }: { readonly of: keyof typeof icons; readonly text: string }) {
  return (
    <span class={`judged judged-${of}`}>
      <Icon name={icons[of]} /> {text}
    </span>
  );
}
