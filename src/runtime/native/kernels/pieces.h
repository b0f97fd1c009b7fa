// A list of tensors in pieces that threads share, as optimizers work on all parameters.
#pragma once

#include <algorithm>
#include <vector>

#include "kernel.h"
#include "threads.h"

namespace halftone {

constexpr int64_t pieceSize = 16384;

// Pieces of at most `pieceSize` elements of a list of tensors, in their order.
struct Piece {
  int tensor;
  int64_t from, size, place;  // `place` counts the elements of the tensors before.
};

inline std::vector<Piece> piecesOf(const std::vector<Tensor>& tensors) {
  std::vector<Piece> pieces;
  int64_t place = 0;
  for (size_t i = 0; i < tensors.size(); i++)
    for (int64_t from = 0, size = tensors[i].size(); from < size; from += pieceSize) {
      const int64_t count = std::min(pieceSize, size - from);
      pieces.push_back({static_cast<int>(i), from, count, place});
      place += count;
    }
  return pieces;
}

// Groups of pieces that together are worth a thread.
template <class Work>
void inGroups(const std::vector<Piece>& pieces, const Work& work) {
  std::vector<size_t> ends;
  int64_t elements = 0;
  for (size_t i = 0; i < pieces.size(); i++) {
    elements += pieces[i].size;
    if (elements >= pieceSize || i + 1 == pieces.size()) {
      ends.push_back(i + 1);
      elements = 0;
    }
  }
  inThreads(static_cast<int64_t>(ends.size()), [&](int64_t g) {
    for (size_t i = g == 0 ? 0 : ends[g - 1]; i < ends[g]; i++) work(i);
  });
}

}  // namespace halftone
