// Threads that pass strings and trees to one another; the output is fixed.
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace
{

using Words = std::map<std::string, std::vector<int>>;

class Channel
{
  public:
    void send(std::unique_ptr<Words> words)
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        queue_.push_back(std::move(words));
        filled_.notify_one();
    }

    std::unique_ptr<Words> receive()
    {
        std::unique_lock<std::mutex> guard(mutex_);
        filled_.wait(guard, [this] { return !queue_.empty(); });
        auto words = std::move(queue_.front());
        queue_.pop_front();
        return words;
    }

  private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<std::unique_ptr<Words>> queue_;
};

void make(Channel &channel, int seed)
{
    auto state = static_cast<std::uint32_t>(seed);
    for (int round = 0; round < 60; round++) {
        auto words = std::make_unique<Words>();
        for (int i = 0; i < 400; i++) {
            state = state * 1664525u + 1013904223u;
            std::string word(state >> 24, static_cast<char>('a' + i % 26));
            (*words)[word].push_back(i);
        }
        channel.send(std::move(words));
    }
}

std::uint64_t digest(const Words &words)
{
    std::uint64_t sum = 0;
    for (const auto &[word, places] : words)
        for (const int place : places)
            sum += word.size() * 31u + static_cast<std::uint64_t>(place);
    return sum;
}

} // namespace

int main()
{
    constexpr int makers = 4;
    Channel channel;
    std::vector<std::thread> threads;
    for (int seed = 1; seed <= makers; seed++)
        threads.emplace_back(make, std::ref(channel), seed);
    std::uint64_t sum = 0;
    for (int i = 0; i < makers * 60; i++)
        sum += digest(*channel.receive()); // freed by another thread
    for (auto &thread : threads)
        thread.join();
    std::cout << sum << '\n';
}
