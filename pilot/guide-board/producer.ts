/** The producer of every run's package. */
export const producer = 'guide-board';
