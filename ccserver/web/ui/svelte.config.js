/** Styles go to files, never into the page: the server's content policy forbids inline style. */
export default { compilerOptions: { css: 'external', runes: true } };
