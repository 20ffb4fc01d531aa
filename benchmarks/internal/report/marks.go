package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colors can be told apart by colour-blind readers (Okabe and Ito, without its
// yellow, which is too light for lines on white).
var colors = [maxSeries]color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, // blue
	color.RGBA{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	color.RGBA{0x00, 0x9e, 0x73, 0xff}, // green
	color.RGBA{0xcc, 0x79, 0xa7, 0xff}, // pink
	color.RGBA{0xe6, 0x9f, 0x00, 0xff}, // orange
	color.RGBA{0x56, 0xb4, 0xe9, 0xff}, // sky
	color.RGBA{0x33, 0x33, 0x33, 0xff}, // nearly black
	color.RGBA{0x99, 0x99, 0x99, 0xff}, // grey
}

// glyphs tell lines apart without colour, too.
var glyphs = [maxSeries]draw.GlyphDrawer{
	draw.CircleGlyph{}, polygon{4, 0.5}, polygon{3, 0}, polygon{4, 0},
	polygon{3, 0.5}, polygon{6, 0}, polygon{3, 0.25}, polygon{3, 0.75},
}

// A polygon is a filled one, the first corner at the top; turn counts corners.
type polygon struct {
	corners int
	turn    float64
}

func (g polygon) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	points := make([]vg.Point, g.corners)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + g.turn) / float64(g.corners))
		points[i] = vg.Point{X: at.X + style.Radius*1.25*vg.Length(sin), Y: at.Y + style.Radius*1.25*vg.Length(cos)}
	}
	c.FillPolygon(style.Color, points)
}

func glyph(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: colors[i], Radius: 3.5, Shape: glyphs[i]}
}

func stroke(i int) draw.LineStyle { return draw.LineStyle{Color: colors[i], Width: 1.75} }

// rules are the light lines behind the data, at the ticks that have a label.
type rules struct{ x, y bool }

func (r rules) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.LineStyle{Color: ruleColor, Width: 0.5}
	if r.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if t.Label != "" {
				c.StrokeLine2(style, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
			}
		}
	}
	if r.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if t.Label != "" {
				c.StrokeLine2(style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
			}
		}
	}
}

// lines draws the series as points joined by lines, broken where nothing was
// measured. The first, which is ours, is drawn last and lies on top.
type lines Chart

func (l lines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for i := len(l.Series) - 1; i >= 0; i-- {
		s := l.Series[i]
		pieces := [][]vg.Point{nil}
		for n, v := range s.Y {
			if !Chart(l).drawn(v) {
				pieces = append(pieces, nil)
				continue
			}
			last := &pieces[len(pieces)-1]
			*last = append(*last, vg.Point{X: x(s.X[n]), Y: y(v)})
		}
		for _, piece := range pieces {
			if len(piece) > 1 {
				c.StrokeLines(stroke(i), piece)
			}
			for _, at := range piece {
				c.DrawGlyphNoClip(glyph(i), at)
			}
		}
	}
}

// bars draws groups of lying bars, the first at the top, each with its figure.
type bars Chart

// thick is how much of a group's height is bars; the rest is air.
const thick = 0.8

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	zero := x(max(p.X.Min, 0))
	if b.LogY {
		zero = x(p.X.Min)
	}
	style := textStyle(9)
	style.YAlign = draw.YCenter
	each := thick / float64(len(b.Series))
	for i, s := range b.Series {
		for n, v := range s.Y {
			top := float64(len(b.Labels)-1-n) + thick/2 - float64(i)*each
			high, low := y(top), y(top-each)+0.75
			end := zero
			if Chart(b).drawn(v) {
				end = x(v)
				c.FillPolygon(colors[i], []vg.Point{{X: zero, Y: low}, {X: end, Y: low}, {X: end, Y: high}, {X: zero, Y: high}})
			}
			c.FillText(style, vg.Point{X: max(zero, end) + 4, Y: (high + low) / 2}, Spell(v, b.YUnit))
		}
	}
	c.StrokeLine2(draw.LineStyle{Color: axisColor, Width: 0.75}, zero, c.Min.Y, zero, c.Max.Y)
}

// values are all figures of the series that have a place on the axis.
func (c Chart) values() (xs, ys []float64) {
	for _, s := range c.Series {
		xs = append(xs, s.X...)
		for _, v := range s.Y {
			if c.drawn(v) {
				ys = append(ys, v)
			}
		}
	}
	return xs, ys
}

// rows is how many bars there are, one below the other.
func (c Chart) rows() int { return len(c.Labels) * len(c.Series) }

// widest is how long the figures beside the bars get.
func (c Chart) widest() vg.Length {
	style, w := textStyle(9), vg.Length(0)
	for _, s := range c.Series {
		for _, v := range s.Y {
			w = vg.Length(math.Max(float64(w), float64(style.Width(Spell(v, c.YUnit)))))
		}
	}
	return w
}
