package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBlock(t *testing.T) {
	golden(t, "block.md", []byte(Block(odd(), "benchmarks/RESULTS.md")))
	assert.NotContains(t, Block(Report{}, "x"), "|", "no headlines, no table")
}

func TestReplaceBlock(t *testing.T) {
	before := "# Title\r\n\ntext " + "`x`" + "\n"
	after := "\n## After\nno newline at the end"
	readme := before + BlockBegin + "\nold 12.3x\n" + BlockEnd + "\n" + after
	got, err := ReplaceBlock(readme, "new\n")
	require.NoError(t, err)
	assert.Equal(t, before+BlockBegin+"\n\nnew\n\n"+BlockEnd+"\n"+after, got)
	again, err := ReplaceBlock(got, "new\n")
	require.NoError(t, err)
	assert.Equal(t, got, again)

	last, err := ReplaceBlock(BlockBegin+"\r\n"+BlockEnd, "new\n")
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(last, BlockEnd))
}

func TestReplaceBlockRefuses(t *testing.T) {
	for name, readme := range map[string]string{
		"none":        "text\n",
		"no end":      BlockBegin + "\n",
		"no begin":    BlockEnd + "\n",
		"two begins":  BlockBegin + "\n" + BlockBegin + "\n" + BlockEnd + "\n",
		"two ends":    BlockBegin + "\n" + BlockEnd + "\n" + BlockEnd + "\n",
		"two blocks":  BlockBegin + "\n" + BlockEnd + "\n" + BlockBegin + "\n" + BlockEnd + "\n",
		"out of turn": BlockEnd + "\n" + BlockBegin + "\n",
		"not alone":   "see " + BlockBegin + "\n" + BlockEnd + "\n",
	} {
		got, err := ReplaceBlock(readme, "new\n")
		assert.Error(t, err, name)
		assert.Empty(t, got, name)
	}
}
