// The words for what a trust report says: a level is told, never a verdict (docs/glossary.md, trust report).
import { words } from '@/shared/words'

export type Level = 'fits' | 'unclear' | 'contradicts'

const t = words({ fits: '相符', unclear: '无法核对', contradicts: '不一致' }, { fits: 'fits', unclear: 'unclear', contradicts: 'does not fit' })

export function levelWord(level: Level): { text: string; tone: 'good' | 'soon' | 'overdue' } {
  return { text: t.value[level], tone: level === 'fits' ? 'good' : level === 'unclear' ? 'soon' : 'overdue' }
}
