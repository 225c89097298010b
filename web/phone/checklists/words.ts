import { words } from '@/shared/words'

export const t = words(
  {
    passes: '符合',
    fails: '不符合',
    not_applicable: '不适用',
    answerTitle: (title: string, n: number, said: string) => `${title} 第 ${n} 问：${said}`,
    quoted: (title: string, n: number, text: string) => `${title}第 ${n} 问“${text}”不符合：`,
  },
  {
    passes: 'Passes',
    fails: 'Fails',
    not_applicable: 'Not applicable',
    answerTitle: (title: string, n: number, said: string) => `${title}, question ${n}: ${said}`,
    quoted: (title: string, n: number, text: string) => `${title}, question ${n} “${text}” fails: `,
  },
)
